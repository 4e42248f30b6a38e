package ai.valetts.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The names of all keys, derived from the records so that they cannot drift. */
public final class ConfigKeys {
  private ConfigKeys() {}

  /** Every leaf key in the order of the records; items of a list of records appear as {@code data.sources[].folder}. */
  public static List<String> all() {
    List<String> keys = new ArrayList<>();
    collect(ValettsConfig.class, "", keys);
    return List.copyOf(keys);
  }

  /** Every leaf value by key, in the order of the records; lists are values. */
  public static Map<String, Object> values(ValettsConfig config) {
    Map<String, Object> values = new LinkedHashMap<>();
    collect((Record) config, "", values);
    return values;
  }

  private static void collect(Class<?> type, String prefix, List<String> keys) {
    for (RecordComponent component : type.getRecordComponents()) {
      String key = prefix + component.getName();
      if (component.getType().isRecord()) {
        collect(component.getType(), key + ".", keys);
        continue;
      }
      keys.add(key);
      if (component.getGenericType() instanceof ParameterizedType list) {
        Type item = list.getActualTypeArguments()[0];
        if (item instanceof Class<?> itemType && itemType.isRecord()) {
          collect(itemType, key + "[].", keys);
        }
      }
    }
  }

  private static void collect(Record config, String prefix, Map<String, Object> values) {
    for (RecordComponent component : config.getClass().getRecordComponents()) {
      Object value = read(component, config);
      if (value instanceof Record section) {
        collect(section, prefix + component.getName() + ".", values);
      } else {
        values.put(prefix + component.getName(), value);
      }
    }
  }

  static Object read(RecordComponent component, Record owner) {
    try {
      return component.getAccessor().invoke(owner);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("Cannot read " + component, e);
    }
  }

  /** The valid key nearest to an unknown one: same section first, spelling styles ({@code hop_length}) ignored. */
  static String nearest(String unknown) {
    String unindexed = unknown.replaceAll("\\[[0-9]+]", "[]");
    String section = sectionOf(unindexed);
    String name = nameOf(unindexed);
    String best = null;
    int bestDistance = Integer.MAX_VALUE;
    for (String key : candidates()) {
      // Twice the distance, so that a key of the same section wins a tie.
      int distance = 2 * NearestName.distance(name, nameOf(key)) + (sectionOf(key).equals(section) ? 0 : 1);
      if (distance < bestDistance) {
        bestDistance = distance;
        best = key;
      }
    }
    return best;
  }

  private static List<String> candidates() {
    List<String> keys = new ArrayList<>();
    for (RecordComponent component : ValettsConfig.class.getRecordComponents()) {
      if (component.getType().isRecord()) {
        keys.add(component.getName());
      }
    }
    keys.addAll(all());
    return keys;
  }

  private static String sectionOf(String key) {
    return key.contains(".") ? key.substring(0, key.lastIndexOf('.')) : "";
  }

  private static String nameOf(String key) {
    return key.substring(key.lastIndexOf('.') + 1);
  }
}
