package ai.valetts.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Builds a {@link ValettsConfig} from YAML and overrides. A file is complete: there are no hidden defaults, so a missing
 * key is as much a problem as an unknown one, unless its record lets it be null. Relative folders are taken from the
 * working directory and become absolute.
 *
 * <p>Every method throws {@link ConfigException} with all problems at once. Stateless.
 */
public final class ConfigLoader {
  /** Configurations that travel inside the jar. */
  public static final List<String> BUNDLED = List.of("demo", "tiny", "base", "multispeaker", "bigvgan");

  private static final Pattern INDEX = Pattern.compile("([^\\[\\]]+)((?:\\[[0-9]+])*)");

  private ConfigLoader() {}

  /** Reads a YAML file. */
  public static ValettsConfig load(Path file, List<ConfigOverride> overrides) {
    try {
      return parse(file.toString(), Files.readString(file), overrides);
    } catch (NoSuchFileException e) {
      throw new ConfigException(
          file.toString(), List.of("there is no such file; the bundled ones are " + String.join(", ", BUNDLED)));
    } catch (CharacterCodingException e) {
      throw new ConfigException(file.toString(), List.of("the file is not UTF-8 text"));
    } catch (IOException e) {
      throw new ConfigException(file.toString(), List.of("cannot be read: " + e));
    }
  }

  /** Reads one of {@link #BUNDLED}. */
  public static ValettsConfig bundled(String name, List<ConfigOverride> overrides) {
    return parse(name + ".yaml (bundled)", bundledText(name), overrides);
  }

  /** The YAML of one of {@link #BUNDLED}, comments included. */
  public static String bundledText(String name) {
    try (InputStream stream = ConfigLoader.class.getResourceAsStream("/configs/" + name + ".yaml")) {
      if (stream == null) {
        throw new ConfigException(name, List.of("no such bundled configuration; there are " + String.join(", ", BUNDLED)));
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new ConfigException(name, List.of("cannot be read from the jar: " + e));
    }
  }

  /**
   * Reads YAML text.
   *
   * @param origin what to call it in messages
   */
  public static ValettsConfig parse(String origin, String yaml, List<ConfigOverride> overrides) {
    List<String> problems = new ArrayList<>();
    YamlValue root = YamlValue.parse(yaml, null, problems);
    if (root == null && problems.isEmpty()) {
      problems.add("the file is empty");
    }
    for (ConfigOverride override : overrides) {
      if (override.value() == null) {
        problems.add(override.origin()
            + ": expected key=value, for example model.hiddenChannels=96 or model.upsampleRates=[8,8,4]");
      } else if (root instanceof YamlValue.Mapping mapping) {
        YamlValue value = YamlValue.parse(override.value(), override.origin(), problems);
        if (value == null) {
          value = new YamlValue.Scalar("", false, true, override.origin());
        }
        lay(mapping, override, value, problems);
      }
    }
    ValettsConfig config = null;
    if (root != null) {
      ConfigReader reader = new ConfigReader(problems);
      config = reader.read(ValettsConfig.class, root, "");
      if (config != null) {
        new ConfigRules(reader, problems).check(config);
      }
    }
    if (!problems.isEmpty()) {
      throw new ConfigException(origin, problems);
    }
    ValettsConfig placed = config.withSources(config.data().sources().stream().map(ConfigLoader::absolute).toList());
    return placed.storage() == null || placed.storage().isDriveApi()
        ? placed
        : placed.withStorage(placed.storage().movedTo(absolute(placed.storage().location())));
  }

  private static String absolute(String folder) {
    return Path.of(folder).toAbsolutePath().normalize().toString();
  }

  private static DataConfig.Source absolute(DataConfig.Source source) {
    return new DataConfig.Source(
        absolute(source.folder()), source.speaker(), source.language(), source.format(), source.metadata(), source.columns());
  }

  private static boolean isNone(YamlValue value) {
    return value instanceof YamlValue.Scalar scalar && scalar.none();
  }

  /** Puts one override into the tree; an unknown name is found later, by the reader. */
  private static void lay(
      YamlValue.Mapping root, ConfigOverride override, YamlValue value, List<String> problems) {
    String[] parts = override.key().split("\\.", -1);
    YamlValue.Mapping section = root;
    for (int i = 0; i < parts.length; i++) {
      Matcher matcher = INDEX.matcher(parts[i]);
      if (!matcher.matches()) {
        problems.add(override.origin() + ": " + override.key() + " is no key; write section.key or section.list[0].key");
        return;
      }
      boolean last = i == parts.length - 1;
      String name = matcher.group(1);
      List<Integer> indexes = new ArrayList<>();
      for (String index : matcher.group(2).split("[\\[\\]]+")) {
        if (!index.isEmpty()) {
          indexes.add(index.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(index));
        }
      }
      YamlValue next;
      if (indexes.isEmpty()) {
        if (last) {
          section.entries().put(name, value);
          return;
        }
        // A section that is off (null) is switched on by setting a key of it.
        next = section.entries().compute(name, (n, there) -> there == null || isNone(there)
            ? new YamlValue.Mapping(new LinkedHashMap<>(), override.origin())
            : there);
      } else {
        next = section.entries().get(name);
        for (int j = 0; j < indexes.size(); j++) {
          int index = indexes.get(j);
          if (!(next instanceof YamlValue.Sequence list) || index >= list.items().size()) {
            problems.add(
                override.origin() + ": " + override.key() + " points past the end; " + name + " is "
                    + (next == null ? "not there" : next.describe()));
            return;
          }
          if (last && j == indexes.size() - 1) {
            list.items().set(index, value);
            return;
          }
          next = list.items().get(index);
        }
      }
      if (!(next instanceof YamlValue.Mapping inner)) {
        problems.add(override.origin() + ": " + parts[i] + " is " + next.describe() + " and has no keys of its own");
        return;
      }
      section = inner;
    }
  }
}
