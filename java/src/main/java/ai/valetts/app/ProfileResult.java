package ai.valetts.app;

import ai.valetts.engine.ProfileRow;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Where the time of training steps goes. All figures are means over the steps.
 *
 * @param config its name
 * @param device as the core names it
 * @param precision of the steps
 * @param threads of the CPU
 * @param batches what the steps worked on, in words
 * @param warmUpSteps taken before
 * @param steps that were profiled
 * @param rows the most time first; together they are {@code total}
 * @param total of all rows; its module and direction are {@code total} and {@code both}
 * @param recordedKernels that the device runs in a step of the batches' shape where steps are recorded; 0 elsewhere
 * @param trace the Chrome trace, or null
 */
public record ProfileResult(
    String config,
    String device,
    String precision,
    int threads,
    String batches,
    int warmUpSteps,
    int steps,
    List<Row> rows,
    Row total,
    long recordedKernels,
    String trace) {

  /** The row of the time in which no batch was ready. */
  public static final String WAITING = "waiting for data";

  /**
   * One part of the model in one direction.
   *
   * @param direction {@code forward} or {@code backward}
   * @param share of the total's seconds, 0..1
   * @param callsPerStep forward: times entered; backward: autograd nodes
   * @param operatorsPerStep that compute
   * @param bytesPerStep estimated traffic: what the operators read and write
   */
  public record Row(
      String module,
      String direction,
      double secondsPerStep,
      double share,
      double callsPerStep,
      double operatorsPerStep,
      double bytesPerStep) {}

  static ProfileResult of(
      String config,
      String device,
      String precision,
      int threads,
      String batches,
      int warmUpSteps,
      int steps,
      List<ProfileRow> profiled,
      double waitedSeconds,
      long recordedKernels,
      Path trace) {
    List<ProfileRow> all = new ArrayList<>(profiled);
    if (waitedSeconds > 0) {
      all.add(new ProfileRow(WAITING, false, waitedSeconds, steps, 0, 0));
    }
    double seconds = all.stream().mapToDouble(ProfileRow::seconds).sum();
    List<Row> rows =
        all.stream()
            .map(row -> row(row, row.backward() ? "backward" : "forward", steps, seconds))
            .sorted(Comparator.comparingDouble(Row::secondsPerStep).reversed())
            .toList();
    ProfileRow sum =
        new ProfileRow(
            "total",
            false,
            seconds,
            all.stream().mapToLong(ProfileRow::calls).sum(),
            all.stream().mapToLong(ProfileRow::operators).sum(),
            all.stream().mapToLong(ProfileRow::bytes).sum());
    return new ProfileResult(
        config, device, precision, threads, batches, warmUpSteps, steps, rows, row(sum, "both", steps, seconds),
        recordedKernels, trace == null ? null : trace.toString());
  }

  private static Row row(ProfileRow row, String direction, double steps, double allSeconds) {
    return new Row(
        row.module(),
        direction,
        row.seconds() / steps,
        allSeconds == 0 ? 0 : row.seconds() / allSeconds,
        row.calls() / steps,
        row.operators() / steps,
        row.bytes() / steps);
  }

  /** As JSON, for programs. */
  public String toJson() {
    try {
      return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a profile is always expressible as JSON", e);
    }
  }
}
