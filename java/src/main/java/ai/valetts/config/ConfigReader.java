package ai.valetts.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Turns parsed YAML into records by the records' own component names and types, and goes on after a problem so that all
 * of them are reported together. What could not be read holds a placeholder, and {@link #isSound} says so.
 */
final class ConfigReader {
  private final List<String> problems;
  private final Map<String, String> places = new HashMap<>();
  private final Set<String> unsound = new HashSet<>();

  ConfigReader(List<String> problems) {
    this.problems = problems;
  }

  /** Reads a record; {@code path} is empty for the whole configuration. */
  <T extends Record> T read(Class<T> type, YamlValue value, String path) {
    if (!(value instanceof YamlValue.Mapping mapping)) {
      fail(path, value, "a section with the keys " + String.join(", ", names(type)));
      return null;
    }
    Map<String, YamlValue> rest = new LinkedHashMap<>(mapping.entries());
    RecordComponent[] components = type.getRecordComponents();
    Object[] arguments = new Object[components.length];
    Class<?>[] types = new Class<?>[components.length];
    for (int i = 0; i < components.length; i++) {
      RecordComponent component = components[i];
      types[i] = component.getType();
      String key = join(path, component.getName());
      YamlValue item = rest.remove(component.getName());
      if (item != null) {
        places.put(key, item.where());
        arguments[i] = read(component.getGenericType(), isNullable(component), item, key);
      } else if (!isNullable(component)) {
        unsound.add(key);
        problems.add((path.isEmpty() ? "" : mapping.where() + ": ") + key + " is missing; it takes " + wanted(component));
      }
      if (arguments[i] == null && component.getType().isPrimitive()) {
        arguments[i] = placeholder(component.getType());
      }
    }
    rest.forEach(
        (name, item) -> {
          String key = join(path, name);
          problems.add(item.where() + ": " + key + " is not a key; did you mean " + ConfigKeys.nearest(key) + "?");
        });
    return construct(type, types, arguments);
  }

  /** Whether the keys, and the sections around them, were read without a problem. */
  boolean isSound(String... keys) {
    for (String key : keys) {
      for (String prefix = key; !prefix.isEmpty(); prefix = parent(prefix)) {
        if (unsound.contains(prefix)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Where a key was set, e.g. {@code line 12}; empty if it was left out. */
  String place(String key) {
    String place = places.get(key);
    return place == null ? "" : place;
  }

  private Object read(Type type, boolean nullable, YamlValue value, String path) {
    if (value instanceof YamlValue.Scalar scalar && scalar.none()) {
      if (!nullable) {
        fail(path, value, wanted(type));
      }
      return null;
    }
    if (type instanceof ParameterizedType listType) {
      return readList(listType, value, path);
    }
    Class<?> target = (Class<?>) type;
    if (target.isRecord()) {
      return read(target.asSubclass(Record.class), value, path);
    }
    if (!(value instanceof YamlValue.Scalar scalar)) {
      fail(path, value, wanted(type));
      return null;
    }
    if (target == String.class) {
      return scalar.text();
    }
    Object parsed = scalar.quoted() ? null : parse(target, scalar.text());
    if (parsed == null) {
      fail(path, value, wanted(type));
    }
    return parsed;
  }

  private List<Object> readList(ParameterizedType listType, YamlValue value, String path) {
    if (!(value instanceof YamlValue.Sequence sequence)) {
      fail(path, value, wanted(listType));
      return null;
    }
    Type itemType = listType.getActualTypeArguments()[0];
    List<Object> items = new ArrayList<>();
    for (int i = 0; i < sequence.items().size(); i++) {
      String itemPath = path + "[" + i + "]";
      YamlValue itemValue = sequence.items().get(i);
      places.put(itemPath, itemValue.where());
      int unsoundBefore = unsound.size();
      Object item = read(itemType, false, itemValue, itemPath);
      if (item != null) {
        items.add(item);
      }
      if (unsound.size() > unsoundBefore) {
        unsound.add(path);
      }
    }
    return List.copyOf(items);
  }

  private void fail(String path, YamlValue value, String wanted) {
    unsound.add(path);
    String found = value == null ? "an empty file" : value.describe();
    String where = value == null || path.isEmpty() ? "" : value.where() + ": ";
    problems.add(where + (path.isEmpty() ? "the configuration" : path) + " takes " + wanted + ", found " + found);
  }

  /** Null if the text is no such value. */
  private static Object parse(Class<?> type, String text) {
    try {
      if (type == boolean.class || type == Boolean.class) {
        return text.equals("true") ? Boolean.TRUE : text.equals("false") ? Boolean.FALSE : null;
      }
      String digits = text.matches("[-+]?[0-9][0-9_]*") ? text.replace("_", "") : text;
      if (type == int.class || type == Integer.class) {
        return Integer.valueOf(digits);
      }
      if (type == long.class || type == Long.class) {
        return Long.valueOf(digits);
      }
      if (!digits.matches("[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?")) {
        return null;
      }
      if (type == float.class) {
        Float number = Float.valueOf(digits);
        return number.isInfinite() ? null : number;
      }
      Double number = Double.valueOf(digits);
      return number.isInfinite() ? null : number;
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static String wanted(RecordComponent component) {
    return wanted(component.getGenericType());
  }

  private static String wanted(Type type) {
    if (type instanceof ParameterizedType list) {
      Type item = list.getActualTypeArguments()[0];
      if (item == Integer.class) {
        return "a list of whole numbers";
      }
      if (item == String.class) {
        return "a list of texts";
      }
      if (item instanceof ParameterizedType) {
        return "a list of lists of whole numbers";
      }
      return "a list of sections with the keys " + String.join(", ", names((Class<?>) item));
    }
    Class<?> target = (Class<?>) type;
    if (target.isRecord()) {
      return "a section with the keys " + String.join(", ", names(target));
    }
    String nullable = target.isPrimitive() || target == String.class ? "" : " or null";
    if (target == String.class) {
      return "text";
    }
    if (target == boolean.class) {
      return "true or false";
    }
    if (target == int.class || target == Integer.class || target == long.class || target == Long.class) {
      return "a whole number" + nullable;
    }
    return "a number" + nullable;
  }

  private static boolean isNullable(RecordComponent component) {
    Class<?> type = component.getType();
    return component.isAnnotationPresent(Nullable.class)
        || Number.class.isAssignableFrom(type);
  }

  private static Object placeholder(Class<?> type) {
    if (type == boolean.class) {
      return false;
    }
    return type == int.class ? (Object) 0 : type == long.class ? (Object) 0L : type == float.class ? (Object) 0f : 0d;
  }

  private static List<String> names(Class<?> type) {
    List<String> names = new ArrayList<>();
    for (RecordComponent component : type.getRecordComponents()) {
      names.add(component.getName());
    }
    return names;
  }

  private static <T extends Record> T construct(Class<T> type, Class<?>[] types, Object[] arguments) {
    try {
      return type.getDeclaredConstructor(types).newInstance(arguments);
    } catch (NoSuchMethodException | InstantiationException | IllegalAccessException e) {
      throw new IllegalStateException("Cannot build " + type, e);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException("Cannot build " + type, e.getCause());
    }
  }

  private static String join(String path, String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  private static String parent(String key) {
    int cut = Math.max(key.lastIndexOf('.'), key.lastIndexOf('['));
    return cut < 0 ? "" : key.substring(0, cut);
  }
}
