package ai.valetts.config;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * One key in which two configurations differ.
 *
 * @param key dotted path
 * @param before value in the first
 * @param after value in the second
 */
public record ConfigDifference(String key, Object before, Object after) {

  /**
   * Keys that do not change what is learned, only how long, where and how visibly. {@code training.threads} is among
   * them: it changes rounding, and the run says so.
   */
  private static final List<String> CHANGEABLE =
      List.of(
          "training.maxSteps",
          "training.maxEpochs",
          "training.maxMinutes",
          "training.device",
          "training.threads",
          "training.precision",
          "training.microBatch",
          "training.metricsEverySteps",
          "training.profile",
          "data.maxBad",
          "data.decodeThreads",
          "data.prefetchBatches",
          "validation.",
          "checkpoint.",
          "monitor.",
          "synthesis.",
          "report.",
          "storage.",
          "storage",
          "cost.",
          "cost");

  /** All differences, in the order of the records. */
  public static List<ConfigDifference> between(ValettsConfig before, ValettsConfig after) {
    Map<String, Object> old = ConfigKeys.values(before);
    Map<String, Object> current = ConfigKeys.values(after);
    // The keys of a section that is null in one of the two are in the other alone.
    Set<String> keys = new LinkedHashSet<>(current.keySet());
    keys.addAll(old.keySet());
    List<ConfigDifference> differences = new ArrayList<>();
    for (String key : keys) {
      if (!Objects.equals(old.get(key), current.get(key))) {
        differences.add(new ConfigDifference(key, old.get(key), current.get(key)));
      }
    }
    return differences;
  }

  /** The differences that a run under way may not take: continuing with them would be another run. */
  public static List<ConfigDifference> refused(ValettsConfig saved, ValettsConfig requested) {
    return between(saved, requested).stream().filter(difference -> !difference.mayChange()).toList();
  }

  /** Whether this key may change during a run. */
  public boolean mayChange() {
    return CHANGEABLE.stream().anyMatch(allowed -> allowed.endsWith(".") ? key.startsWith(allowed) : key.equals(allowed));
  }

  @Override
  public String toString() {
    return key + ": " + before + " -> " + after;
  }
}
