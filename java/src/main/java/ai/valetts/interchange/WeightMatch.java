package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The tensors of a file held against those that a network has: what is loaded, resized, missing or left over. */
final class WeightMatch {
  private static final int NAMED_PROBLEMS = 4;

  private final String origin;
  private final Map<String, StoredTensor> found;
  private final Map<String, RowMap> rowMaps;
  private final Map<String, Line> lines = new LinkedHashMap<>();
  private final List<String> problems = new ArrayList<>();
  private final List<Wanted> wanted = new ArrayList<>();
  private boolean incomplete;

  private record Line(String outcome, String part, String reason, int[] tensors, long[] numbers) {}

  private record Wanted(ReferenceLayout.Key key, Source source) {}

  private enum Source {
    FILE,
    ROWS,
    INITIAL
  }

  /**
   * @param origin name of the file, for messages
   * @param expected what the network has
   * @param found what the file has, under the same names
   * @param rowMaps embeddings whose rows move, by name
   * @param speakerless whether a speaker's condition is of no use to this network, so that it may be left out
   */
  WeightMatch(
      String origin,
      List<ReferenceLayout.Key> expected,
      Map<String, StoredTensor> found,
      Map<String, RowMap> rowMaps,
      boolean speakerless) {
    this.origin = origin;
    this.found = found;
    this.rowMaps = rowMaps;
    Map<String, ReferenceLayout.Key> byName = new LinkedHashMap<>();
    for (ReferenceLayout.Key key : expected) {
      byName.put(key.name(), key);
      if (!key.dead()) {
        match(key);
      }
    }
    found.forEach((name, tensor) -> {
      ReferenceLayout.Key key = byName.get(name);
      if (key == null || key.dead()) {
        leftOver(name, tensor, key, speakerless);
      }
    });
  }

  private void match(ReferenceLayout.Key key) {
    StoredTensor tensor = found.get(key.name());
    RowMap rows = rowMaps.get(key.name());
    long[] fileShape = key.shape().clone();
    if (rows != null && tensor != null) {
      fileShape[0] = tensor.size(0);
    }
    if (tensor != null && tensor.hasShape(fileShape) && tensor.type().isReal()) {
      boolean moved = rows != null && !rows.isIdentity(fileShape[0]);
      wanted.add(new Wanted(key, moved ? Source.ROWS : Source.FILE));
      String converted = tensor.type() == TensorType.F32 ? "" : "converted from " + tensor.type();
      count(
          moved ? ReportLine.RESIZED : ReportLine.LOADED,
          part(key.name()),
          moved ? rows.reason() : converted,
          numbers(key.shape()));
      return;
    }
    wanted.add(new Wanted(key, Source.INITIAL));
    incomplete = true;
    String problem = tensor == null
        ? "is missing"
        : "has shape " + Arrays.toString(tensor.shape()) + " instead of " + Arrays.toString(key.shape());
    problems.add(key.name() + " " + problem);
    count(ReportLine.INITIALISED, part(key.name()), tensor == null ? "missing in the file" : "of another shape",
        numbers(key.shape()));
  }

  private void leftOver(String name, StoredTensor tensor, ReferenceLayout.Key key, boolean speakerless) {
    String reason;
    if (key != null) {
      reason = "post_transformer: saved by the reference, never used by it";
    } else if (speakerless && (name.contains(".cond_layer.") || name.contains(".cond.") || name.contains("spk_emb_linear"))) {
      reason = "a speaker's condition in a voice without speakers is never used";
    } else {
      reason = "no such tensor in this network";
      problems.add(name + " is not known");
    }
    count(ReportLine.SKIPPED, part(name), reason, tensor.count());
  }

  private static String part(String name) {
    return name.startsWith("discriminators.") ? "discriminators" : name.replaceFirst("\\..*", "");
  }

  private static long numbers(long[] shape) {
    return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
  }

  private void count(String outcome, String part, String reason, long numbers) {
    Line line = lines.computeIfAbsent(
        outcome + part + reason, key -> new Line(outcome, part, reason, new int[1], new long[1]));
    line.tensors[0]++;
    line.numbers[0] += numbers;
  }

  /**
   * @throws CheckpointException naming the first of the tensors that do not fit
   */
  void refuseProblems() {
    if (!problems.isEmpty()) {
      int more = problems.size() - NAMED_PROBLEMS;
      throw new CheckpointException(origin + " does not fit the networks it should belong to: "
          + String.join(", ", problems.subList(0, Math.min(NAMED_PROBLEMS, problems.size())))
          + (more > 0 ? " and " + more + " more" : "")
          + ". --partial takes what fits and starts the rest fresh.");
    }
  }

  /** Whether some tensors need initial values. */
  boolean isIncomplete() {
    return incomplete;
  }

  List<ReportLine> report() {
    return lines.values().stream()
        .map(line -> new ReportLine(line.outcome, line.part, line.tensors[0], line.numbers[0], line.reason))
        .toList();
  }

  /**
   * The network's tensors in its order, read when asked for.
   *
   * @param initial tensors for what the file lacks
   */
  List<SafetensorsWriter.Item> items(Map<String, StoredTensor> initial) {
    List<SafetensorsWriter.Item> items = new ArrayList<>();
    for (Wanted tensor : wanted) {
      String name = tensor.key.name();
      Supplier<float[]> values = switch (tensor.source) {
        case FILE -> () -> finite(name, found.get(name).floats());
        case ROWS -> () -> rowMaps.get(name).apply(
            finite(name, found.get(name).floats()), (int) found.get(name).size(1));
        case INITIAL -> () -> initial.get(name).floats();
      };
      items.add(new SafetensorsWriter.Item(name, tensor.key.shape(), values));
    }
    return items;
  }

  private float[] finite(String name, float[] values) {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new CheckpointException(origin + ": " + name + " holds " + value
            + ": it was saved after its training had failed. Take an earlier checkpoint.");
      }
    }
    return values;
  }
}
