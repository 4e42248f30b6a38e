package ai.valetts.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ConfigWriterTest {

  @Test
  void readsBackWhatItWrote() {
    for (String name : ConfigLoader.BUNDLED) {
      ValettsConfig config =
          ConfigLoader.bundled(
              name,
              List.of(
                  ConfigOverride.parse(
                      "data.sources=[{folder: 'a: b', speaker: \"no\"}, {folder: c, speaker: 'x #1', language: pt-br}]"),
                  ConfigOverride.parse("validation.sentences=['true', '12', '\"quoted\" ~', 'ção – é', '- dash']")));
      String yaml = ConfigWriter.write(config);
      assertThat(ConfigLoader.parse("written", yaml, List.of())).isEqualTo(config);
      assertThat(ConfigWriter.write(ConfigLoader.parse("written", yaml, List.of()))).isEqualTo(yaml);
    }
  }

  @Test
  void keepsTheOrderOfTheRecords() {
    String yaml = ConfigWriter.write(ConfigLoader.bundled("demo", List.of()));
    int last = -1;
    for (RecordComponent section : ValettsConfig.class.getRecordComponents()) {
      int at = yaml.indexOf("\n" + section.getName() + ":");
      assertThat(at).as(section.getName()).isGreaterThan(last);
      last = at;
    }
  }

  /** The extremes, then values all over the range; each run draws the same. */
  static Stream<Long> seeds() {
    return Stream.concat(
        Stream.of(0L, 1L, -1L, Long.MAX_VALUE, Long.MIN_VALUE), new Random(1).longs(100).boxed());
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void keepsEveryNumberExactly(long seed) {
    Random random = new Random(seed);
    long maxSteps = Math.max(1, seed & Long.MAX_VALUE);
    double learningRate = random.nextDouble() * Math.pow(10, -1 - random.nextInt(300)) + Double.MIN_VALUE;
    ValettsConfig config =
        ConfigLoader.bundled(
            "tiny",
            List.of(
                ConfigOverride.parse("training.seed=" + seed),
                ConfigOverride.parse("optimizer.learningRate=" + learningRate),
                ConfigOverride.parse("training.maxSteps=" + maxSteps)));
    assertThat(config.optimizer().learningRate()).isEqualTo(learningRate);
    assertThat(ConfigLoader.parse("written", ConfigWriter.write(config), List.of())).isEqualTo(config);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void keepsEveryTextExactly(long seed) {
    String printable = new Random(seed).ints(40, 0, seed % 2 == 0 ? 0x100 : 0xd800).filter(c -> c >= 0x20 && c < 0xd800 && (c < 0x7f || c >= 0xa0) && c != 0xfeff)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
    String sentence = "x" + printable;
    ValettsConfig config =
        ConfigLoader.bundled(
            "tiny",
            List.of(new ConfigOverride("validation.sentences", "[" + ConfigOverride.quoted(sentence) + "]", "test")));
    assertThat(config.validation().sentences()).containsExactly(sentence);
    assertThat(ConfigLoader.parse("written", ConfigWriter.write(config), List.of())).isEqualTo(config);
  }

  /** Every key, set to another value, arrives in exactly the component of its name. */
  @Test
  void mapsEveryKeyToItsComponent() {
    // Sections that may be null have no keys of their own unless they are there.
    ValettsConfig base =
        ConfigLoader.bundled(
            "tiny",
            List.of(
                ConfigOverride.parse("data.trim={silenceDb: 40, marginSeconds: 0.1}"),
                ConfigOverride.parse("data.checks={}"),
                ConfigOverride.parse("data.balance={speakers: 0.5, languages: 0}"),
                ConfigOverride.parse("data.augmentation={}"),
                ConfigOverride.parse("monitor.wandb={project: voices, upload: true}"),
                ConfigOverride.parse("storage.location=/drive"),
                ConfigOverride.parse("cost={usdPerHour: 0.5}")));
    ConfigReader reader = new ConfigReader(new java.util.ArrayList<>());
    int[] counter = {1000};
    String yaml = distinct(ValettsConfig.class, 0, counter);
    ValettsConfig config = reader.read(ValettsConfig.class, YamlValue.parse(yaml, null, new java.util.ArrayList<>()), "");
    assertThat(ConfigKeys.values(config)).hasSameSizeAs(ConfigKeys.values(base));
    counter[0] = 1000;
    for (RecordComponent section : ValettsConfig.class.getRecordComponents()) {
      check(section, ConfigKeys.read(section, config), counter);
    }
  }

  private static void check(RecordComponent component, Object value, int[] counter) {
    if (value instanceof Record record) {
      for (RecordComponent inner : record.getClass().getRecordComponents()) {
        check(inner, ConfigKeys.read(inner, record), counter);
      }
    } else {
      assertThat(String.valueOf(value)).as(component.toString()).startsWith(expected(component.getGenericType(), counter[0]++));
    }
  }

  private static String expected(Type type, int number) {
    if (type instanceof ParameterizedType list) {
      Type item = list.getActualTypeArguments()[0];
      if (item instanceof ParameterizedType) {
        return "[[" + number + "]]";
      }
      if (item instanceof Class<?> itemType && itemType.isRecord()) {
        RecordComponent first = itemType.getRecordComponents()[0];
        return "[" + itemType.getSimpleName() + "[" + first.getName() + "=text" + number;
      }
      return item == String.class ? "[text" + number + "]" : "[" + number + "]";
    }
    if (type == String.class) {
      return "text" + number;
    }
    return type == boolean.class || type == Boolean.class ? String.valueOf(number % 2 == 0) : String.valueOf(number);
  }

  private static String distinct(Class<?> type, int indent, int[] counter) {
    StringBuilder yaml = new StringBuilder();
    for (RecordComponent component : type.getRecordComponents()) {
      yaml.append(" ".repeat(indent)).append(component.getName()).append(": ");
      if (component.getType().isRecord()) {
        yaml.append("\n").append(distinct(component.getType(), indent + 2, counter));
        continue;
      }
      int number = counter[0]++;
      if (component.getGenericType() instanceof ParameterizedType list) {
        Type item = list.getActualTypeArguments()[0];
        yaml.append(
            item instanceof ParameterizedType
                ? "[[" + number + "]]"
                : item == String.class
                    ? "[text" + number + "]"
                    : item == Integer.class ? "[" + number + "]" : "[" + record((Class<?>) item, number) + "]");
      } else if (component.getType() == String.class) {
        yaml.append("text").append(number);
      } else if (component.getType() == boolean.class || component.getType() == Boolean.class) {
        yaml.append(number % 2 == 0);
      } else {
        yaml.append(number);
      }
      yaml.append("\n");
    }
    return yaml.toString();
  }

  /** One item of a list of sections: its first key, a text, tells them apart. */
  private static String record(Class<?> type, int number) {
    return type == DataConfig.Source.class
        ? "{folder: text" + number + ", speaker: s}"
        : "{key: text" + number + ", least: 1, most: 2, maxFactor: 3}";
  }

  @Test
  void tellsWhichKeysMayChangeDuringARun() {
    ValettsConfig saved = ConfigLoader.bundled("tiny", List.of());
    ValettsConfig requested =
        ConfigLoader.bundled(
            "tiny",
            List.of(
                ConfigOverride.parse("training.maxMinutes=5"),
                ConfigOverride.parse("validation.everySteps=7"),
                ConfigOverride.parse("optimizer.learningRate=0.001"),
                ConfigOverride.parse("model.flow=plain")));
    assertThat(ConfigDifference.between(saved, requested))
        .extracting(ConfigDifference::key)
        .containsExactly("model.flow", "optimizer.learningRate", "training.maxMinutes", "validation.everySteps");
    assertThat(ConfigDifference.refused(saved, requested))
        .extracting(ConfigDifference::toString)
        .containsExactly("model.flow: pre_conv -> plain", "optimizer.learningRate: 2.0E-4 -> 0.001");
    assertThat(ConfigDifference.between(saved, saved)).isEmpty();
  }

  @Test
  void keepsAbsoluteFolders() {
    ValettsConfig config =
        ConfigLoader.bundled("tiny", List.of(ConfigOverride.parse("data.sources=[{folder: x/../y, speaker: a}]")));
    assertThat(config.data().sources().get(0).folder()).isEqualTo(Path.of("y").toAbsolutePath().toString());
  }
}
