package ai.valetts.monitor;

import ai.valetts.event.ValidationCompleted;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A validation as lines of text: each measurement, its change since the one before, and the least so far with its step.
 * Less is better in all of them.
 */
final class ValidationTable {
  private final Map<String, Double> before = new HashMap<>();
  private final Map<String, Double> least = new HashMap<>();
  private final Map<String, Long> leastStep = new HashMap<>();

  /** Another start of the run, after these validations, oldest first. */
  void startFrom(List<ValidationCompleted> validations) {
    before.clear();
    least.clear();
    leastStep.clear();
    for (ValidationCompleted validation : validations) {
      validation.scalars().forEach((tag, value) -> remember(tag, value, validation.step()));
    }
  }

  private void remember(String tag, double value, long step) {
    before.put(tag, value);
    if (Double.isFinite(value) && value <= least.getOrDefault(tag, Double.POSITIVE_INFINITY)) {
      least.put(tag, value);
      leastStep.put(tag, step);
    }
  }

  List<String> of(ValidationCompleted validation) {
    List<String> lines = new ArrayList<>();
    lines.add(String.format(Locale.ROOT, "validation at step %,d (%.1f s)", validation.step(), validation.seconds()));
    int width = validation.scalars().keySet().stream().mapToInt(tag -> name(tag).length()).max().orElse(0);
    validation.scalars().forEach((tag, value) -> lines.add(row(tag, value, validation.step(), width)));
    return lines;
  }

  private String row(String tag, double value, long step, int width) {
    Double earlier = before.get(tag);
    remember(tag, value, step);
    StringBuilder row = new StringBuilder("  ").append(name(tag)).append(" ".repeat(width - name(tag).length()));
    row.append(String.format(Locale.ROOT, "  %10.4f", value));
    if (earlier != null && earlier != 0) {
      row.append(String.format(Locale.ROOT, "  %+6.1f %%", (value - earlier) / Math.abs(earlier) * 100));
      if (least.containsKey(tag)) {
        row.append(
            leastStep.get(tag) == step
                ? "  best"
                : String.format(Locale.ROOT, "  best %.4f at step %,d", least.get(tag), leastStep.get(tag)));
      }
    }
    return row.toString();
  }

  private static String name(String tag) {
    return tag.replace("val/", "");
  }
}
