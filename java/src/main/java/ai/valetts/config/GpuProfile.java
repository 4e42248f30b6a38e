package ai.valetts.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What suits a kind of machine, as {@code configs/profiles/} states it. A profile fills in what a configuration leaves open
 * and never says what is learned: the batch is not its business.
 *
 * @param devices names it is for, as words that must all be in the device's name, e.g. {@code A100 80GB}
 */
public record GpuProfile(List<String> devices, Training training, Data data) {
  /** Profiles that travel inside the jar. */
  public static final List<String> NAMES =
      List.of("t4", "l4", "p100", "v100", "a100-40", "a100-80", "h100", "h200", "cpu");

  private static final Set<String> GENERATIONS_WITH_BFLOAT16 =
      Set.of("AMPERE", "ADA", "HOPPER", "BLACKWELL", "A2", "A10", "A10G", "A16", "A30", "A40", "A800", "A2000", "A4000",
          "A4500", "A5000", "A5500", "A6000", "L2", "L20", "L40", "L40S", "H20", "H800", "GH200", "B100", "B200", "B300",
          "GB10", "GB200", "GB300");

  /**
   * @param precision for {@code training.precision}
   */
  public record Training(String precision) {}

  /**
   * @param decodeThreads most threads; 0 is one for each processor
   * @param prefetchBatches for {@code data.prefetchBatches}
   */
  public record Data(int decodeThreads, int prefetchBatches) {}

  /**
   * One of {@link #NAMES}.
   *
   * @throws ConfigException with the nearest name if there is none
   */
  public static GpuProfile named(String name) {
    if (!NAMES.contains(name)) {
      throw new ConfigException("training.profile", List.of(unknown(name)));
    }
    try (InputStream stream = GpuProfile.class.getResourceAsStream("/configs/profiles/" + name + ".yaml")) {
      if (stream == null) {
        throw new IllegalStateException("The profile " + name + " is not in the jar");
      }
      return parse(name, new String(stream.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new ConfigException(name, List.of("cannot be read from the jar: " + e));
    }
  }

  static GpuProfile parse(String name, String yaml) {
    List<String> problems = new ArrayList<>();
    YamlValue root = YamlValue.parse(yaml, null, problems);
    GpuProfile profile = root == null ? null : new ConfigReader(problems).read(GpuProfile.class, root, "");
    if (profile == null && problems.isEmpty()) {
      problems.add("the file is empty");
    }
    if (!problems.isEmpty()) {
      throw new ConfigException("the profile " + name, problems);
    }
    return profile;
  }

  static String unknown(String name) {
    return "there is no profile \"" + name + "\"; did you mean " + NearestName.of(name, NAMES) + "? There are auto, "
        + String.join(", ", NAMES);
  }

  /**
   * The profile for a device.
   *
   * @param device its name as the driver gives it, e.g. {@code NVIDIA A100-SXM4-80GB}; empty is the CPU
   * @return empty where there is none
   */
  public static Optional<String> of(String device) {
    if (device.isBlank()) {
      return Optional.of("cpu");
    }
    Set<String> words = words(device);
    return NAMES.stream()
        .filter(name -> named(name).matchingWords(words) > 0)
        .max(Comparator.comparingInt(name -> named(name).matchingWords(words)));
  }

  /** What a GPU without a profile can do, told from its name: {@code bf16}, {@code fp16} or, if in doubt, {@code fp32}. */
  public static String precisionOf(String device) {
    Set<String> words = words(device);
    boolean geForce = words.contains("RTX");
    if (words.stream().anyMatch(GENERATIONS_WITH_BFLOAT16::contains)
        || geForce && words.stream().anyMatch(word -> word.matches("[345]0[0-9]{2}(TI)?"))) {
      return "bf16";
    }
    boolean turing = geForce && words.stream().anyMatch(word -> word.matches("20[0-9]{2}(TI)?|TITAN|QUADRO"));
    return turing ? "fp16" : "fp32";
  }

  private int matchingWords(Set<String> words) {
    return devices.stream()
        .map(GpuProfile::words)
        .filter(words::containsAll)
        .mapToInt(Set::size)
        .max()
        .orElse(0);
  }

  private static Set<String> words(String name) {
    return new HashSet<>(Arrays.asList(name.toUpperCase(java.util.Locale.ROOT).split("[^A-Z0-9]+")));
  }
}
