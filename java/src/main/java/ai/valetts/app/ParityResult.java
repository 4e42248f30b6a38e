package ai.valetts.app;

import java.util.Comparator;
import java.util.List;

/**
 * How the core compares with the recordings.
 *
 * @param rows one for each tensor compared, the most strained first
 * @param notCompared recorded tensors and sets that the core has no counterpart of
 */
public record ParityResult(List<Row> rows, List<String> notCompared) {

  /**
   * One recorded tensor against the core's.
   *
   * @param set the recorded set it belongs to
   * @param measure what the error measures: {@code forward} and {@code gradient}, largest error over the recorded
   *     tensor's largest value; {@code parameter} and {@code absolute}, largest absolute error; {@code exact}, share of
   *     elements or frames that differ
   */
  public record Row(String set, String tensor, String measure, double error, double limit, boolean passed) {

    /** The error in units of its limit; above 1 the limit is broken. */
    public double strain() {
      if (limit > 0) {
        return error / limit;
      }
      return error > 0 ? Double.POSITIVE_INFINITY : 0;
    }
  }

  public ParityResult {
    rows =
        rows.stream()
            .sorted(Comparator.comparing(Row::passed).thenComparing(Comparator.comparingDouble(Row::strain).reversed()))
            .toList();
    notCompared = List.copyOf(notCompared);
  }

  /** No limit is broken, and something was compared. */
  public boolean passed() {
    return !rows.isEmpty() && rows.stream().allMatch(Row::passed);
  }
}
