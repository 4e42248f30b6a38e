package ai.valetts.monitor;

import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code metrics.jsonl} tells of a run, also while the run goes on. Where a run went back to a checkpoint, what it
 * had done beyond that step is left out, so that no step is there twice. A line that is cut off at the end of the file
 * waits for its rest; one that is damaged is left out and counted. One thread; what the methods return is of the last
 * {@link #refresh}.
 */
public final class RunRecord {
  /** Enough for a curve on any screen. */
  public static final int USUAL_POINTS = 1000;

  private static final int MAX_REMARKS = 2000;

  private final ObjectMapper json = new ObjectMapper();
  private final Path file;
  private final int points;

  private long position;
  private final List<Session> sessions = new ArrayList<>();
  private final Map<String, Series> series = new LinkedHashMap<>();
  private final List<Validation> validations = new ArrayList<>();
  private final List<SavedCheckpoint> checkpoints = new ArrayList<>();
  private final List<Remark> remarks = new ArrayList<>();
  private Step lastStep;
  private Instant lastTime;
  private long damagedLines;
  private long missedSteps;
  private long forgottenRemarks;

  /**
   * One start of the run.
   *
   * @param step steps completed before it
   * @param time null where unknown
   * @param environment versions and sizes by name
   * @param end null while it goes on, and where the process was killed
   */
  public record Session(
      String run,
      long step,
      Instant time,
      boolean resumed,
      String device,
      Map<String, String> environment,
      String configText,
      End end) {}

  /** How a start of the run ended. */
  public record End(long step, Instant time, String reason, boolean failed) {}

  /** A step that was written down. */
  public record Step(long step, int epoch, Instant time, Map<String, Double> scalars, Progress progress) {}

  /** A validation, and the files that it left. */
  public record Validation(
      long step, Instant time, double seconds, Map<String, Double> scalars, List<Media> media) {}

  /**
   * A file to hear or to see.
   *
   * @param tag TensorBoard tag
   * @param file from the run's folder
   * @param text what is spoken; empty for an image
   * @param sampleRateHz 0 for an image
   * @param samples 0 for an image
   */
  public record Media(String tag, String file, String text, int sampleRateHz, int samples) {
    public boolean isAudio() {
      return sampleRateHz > 0;
    }

    /** How long the audio is. */
    public double seconds() {
      return isAudio() ? (double) samples / sampleRateHz : 0;
    }
  }

  /**
   * A checkpoint as it was published; it may have been removed since.
   *
   * @param directory from the run's folder
   */
  public record SavedCheckpoint(long step, Instant time, String directory, long bytes) {}

  /** Something a person should read. */
  public record Remark(long step, Instant time, Notice.Level level, String text) {}

  /**
   * @param file a run's {@code metrics.jsonl}; a missing one is a record of nothing
   * @param points at most kept of each measurement, see {@link Series}
   */
  public RunRecord(Path file, int points) {
    this.file = file;
    this.points = points;
  }

  /** The record as it stands now. */
  public static RunRecord read(Path file) throws IOException {
    RunRecord record = new RunRecord(file, USUAL_POINTS);
    record.refresh();
    return record;
  }

  /** Reads what was written since the last call. */
  public void refresh() throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    if (Files.size(file) < position) {
      forgetAll();
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      InputStream in = new BufferedInputStream(Channels.newInputStream(channel.position(position)), 1 << 16);
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      for (int next = in.read(); next >= 0; next = in.read()) {
        if (next != '\n') {
          line.write(next);
          continue;
        }
        position += line.size() + 1;
        if (line.size() > 0) {
          take(line.toByteArray());
        }
        line.reset();
      }
    }
  }

  /** Each start of the run, in order. */
  public List<Session> sessions() {
    return Collections.unmodifiableList(sessions);
  }

  /** The last start of the run. */
  public Optional<Session> session() {
    return sessions.isEmpty() ? Optional.empty() : Optional.of(sessions.get(sessions.size() - 1));
  }

  /** Measurements of the steps by tag, in the order of their first appearance. */
  public Map<String, Series> series() {
    return Collections.unmodifiableMap(series);
  }

  /** The newest step that was written down; empty where the run just began or went back. */
  public Optional<Step> lastStep() {
    return Optional.ofNullable(lastStep);
  }

  /** Steps completed, as far as is known. */
  public long step() {
    long known = session().map(Session::step).orElse(0L);
    if (lastStep != null) {
      known = Math.max(known, lastStep.step());
    }
    if (!checkpoints.isEmpty()) {
      known = Math.max(known, checkpoints.get(checkpoints.size() - 1).step());
    }
    return Math.max(known, session().map(Session::end).map(End::step).orElse(known));
  }

  /** All validations, in the order of their steps. */
  public List<Validation> validations() {
    return Collections.unmodifiableList(validations);
  }

  /** All checkpoints that were published, in the order of their steps. */
  public List<SavedCheckpoint> checkpoints() {
    return Collections.unmodifiableList(checkpoints);
  }

  /** What a person should read; of very many the newest. */
  public List<Remark> remarks() {
    return Collections.unmodifiableList(remarks);
  }

  /** Remarks that were too many to keep. */
  public long forgottenRemarks() {
    return forgottenRemarks;
  }

  /** When the newest line was written; empty without a line. */
  public Optional<Instant> lastTime() {
    return Optional.ofNullable(lastTime);
  }

  /** Lines that could not be read. */
  public long damagedLines() {
    return damagedLines;
  }

  /** Steps that no monitor heard of, because too many waited. */
  public long missedSteps() {
    return missedSteps;
  }

  private void forgetAll() {
    position = 0;
    sessions.clear();
    series.clear();
    validations.clear();
    checkpoints.clear();
    remarks.clear();
    lastStep = null;
    lastTime = null;
    damagedLines = missedSteps = forgottenRemarks = 0;
  }

  private void take(byte[] line) {
    JsonNode node;
    try {
      node = json.readTree(line);
    } catch (JsonProcessingException e) {
      damagedLines++;
      return;
    } catch (IOException e) {
      throw new IllegalStateException("bytes in memory are always readable", e);
    }
    if (node == null || !node.isObject() || !node.path("step").isIntegralNumber()) {
      damagedLines++;
      return;
    }
    long step = node.get("step").asLong();
    Instant time = time(node);
    lastTime = time == null ? lastTime : time;
    switch (node.path("kind").asText()) {
      case "step" -> takeStep(node, step, time);
      case "validation" -> validations.add(
          new Validation(step, time, node.path("seconds").asDouble(), scalars(node.path("scalars")), media(node)));
      case "started" -> takeStart(node, step, time);
      case "checkpoint" -> checkpoints.add(
          new SavedCheckpoint(step, time, node.path("directory").asText(), node.path("bytes").asLong()));
      case "notice" -> takeRemark(node, step, time);
      case "ended" -> takeEnd(
          new End(step, time, node.path("reason").asText(), node.path("failed").asBoolean()));
      case "missed" -> missedSteps += node.path("steps").asLong();
      // A line of a later version says something that this one does not know.
      default -> { }
    }
  }

  private void takeStep(JsonNode node, long step, Instant time) {
    Map<String, Double> scalars = scalars(node.path("scalars"));
    scalars.forEach((tag, value) -> series.computeIfAbsent(tag, name -> new Series(points)).add(step, value));
    Progress progress =
        new Progress(
            scalars.getOrDefault("perf/it_s", Double.NaN),
            scalars.getOrDefault("perf/utterances_s", Double.NaN),
            scalars.getOrDefault("perf/audio_hours_per_hour", Double.NaN),
            node.path("trainedSeconds").asDouble(),
            number(node.path("fraction")),
            number(node.path("secondsToGo")),
            node.path("limit").asText());
    lastStep = new Step(step, node.path("epoch").asInt(), time, scalars, progress);
  }

  private void takeStart(JsonNode node, long step, Instant time) {
    series.values().forEach(values -> values.cutAfter(step));
    series.values().removeIf(values -> values.size() == 0);
    validations.removeIf(validation -> validation.step() > step);
    checkpoints.removeIf(checkpoint -> checkpoint.step() > step);
    if (lastStep != null && lastStep.step() > step) {
      lastStep = null;
    }
    Map<String, String> environment = new LinkedHashMap<>();
    node.path("environment").properties().forEach(
        entry -> environment.put(entry.getKey(), entry.getValue().asText()));
    sessions.add(
        new Session(
            node.path("run").asText(),
            step,
            time,
            node.path("resumed").asBoolean(),
            node.path("device").asText(),
            Collections.unmodifiableMap(environment),
            node.path("config").asText(),
            null));
  }

  private void takeRemark(JsonNode node, long step, Instant time) {
    if (remarks.size() == MAX_REMARKS) {
      remarks.remove(0);
      forgottenRemarks++;
    }
    boolean warning = node.path("level").asText().equals(Notice.Level.WARNING.name());
    remarks.add(
        new Remark(step, time, warning ? Notice.Level.WARNING : Notice.Level.INFO, node.path("text").asText()));
  }

  private void takeEnd(End end) {
    if (!sessions.isEmpty()) {
      Session open = sessions.remove(sessions.size() - 1);
      sessions.add(
          new Session(
              open.run(), open.step(), open.time(), open.resumed(), open.device(), open.environment(),
              open.configText(), end));
    }
  }

  private static Map<String, Double> scalars(JsonNode node) {
    Map<String, Double> scalars = new LinkedHashMap<>();
    node.properties().forEach(entry -> scalars.put(entry.getKey(), number(entry.getValue())));
    return Collections.unmodifiableMap(scalars);
  }

  private static List<Media> media(JsonNode node) {
    List<Media> media = new ArrayList<>();
    for (JsonNode entry : node.path("media")) {
      media.add(
          new Media(
              entry.path("tag").asText(), entry.path("file").asText(), entry.path("text").asText(),
              entry.path("sampleRateHz").asInt(), entry.path("samples").asInt()));
    }
    return List.copyOf(media);
  }

  /** JSON has no numbers that are not finite: they stand there as text. */
  private static double number(JsonNode node) {
    if (node.isNumber()) {
      return node.asDouble();
    }
    return switch (node.asText()) {
      case "Infinity" -> Double.POSITIVE_INFINITY;
      case "-Infinity" -> Double.NEGATIVE_INFINITY;
      default -> Double.NaN;
    };
  }

  private static Instant time(JsonNode node) {
    try {
      return Instant.parse(node.path("time").asText());
    } catch (DateTimeException e) {
      return null;
    }
  }
}
