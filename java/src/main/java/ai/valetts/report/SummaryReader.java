package ai.valetts.report;

import ai.valetts.config.ConfigException;
import ai.valetts.config.ConfigKeys;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ValettsConfig;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * Reads a run's {@code metrics.jsonl} and {@code config.yaml} into a {@link RunSummary}, line by line and in bounded
 * memory. A line that is torn, as a killed run leaves one, is counted and passed over. What a resume undid is forgotten.
 */
public final class SummaryReader {
  private static final int MAX_TAGS = 80;
  private static final int MAX_NOTICES = 12;
  private static final int MAX_NOTICE_CHARACTERS = 240;
  private static final Pattern SKIPPED = Pattern.compile("Step \\d+ was skipped: .*", Pattern.DOTALL);

  /** Keys of the configuration that a judgement rests on; none of them holds a path, a name or a text. */
  private static final List<String> CONFIG =
      List.of(
          "audio.sampleRateHz",
          "audio.hopLength",
          "audio.melBins",
          "data.batchSize",
          "data.batchFrames",
          "data.maxSeconds",
          "data.validationClips",
          "data.decodeThreads",
          "data.prefetchBatches",
          "model.speakerCount",
          "model.hiddenChannels",
          "model.interChannels",
          "model.encoderLayers",
          "model.dropout",
          "model.flow",
          "model.durationPredictor",
          "model.durationDiscriminator",
          "model.discriminatorWidthDivisor",
          "optimizer.",
          "training.precision",
          "training.segmentSamples",
          "training.max",
          "training.accumulation",
          "validation.everySteps",
          "monitor.logEverySteps");

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Map<String, BoundedSeries> measures = new TreeMap<>();
  private final Map<String, BoundedSeries> validation = new TreeMap<>();
  private final Deque<RunSummary.NoticeLine> notices = new ArrayDeque<>();
  private final BoundedSeries epochs = BoundedSeries.ofNoisyValues();
  private final Deque<Long> skipped = new ArrayDeque<>();
  private long skippedBefore;
  private long step;
  private int epoch;
  private double trainedSeconds;
  private int starts;
  private String device = "";
  private int unreadable;

  private SummaryReader() {}

  /**
   * Summarises a run.
   *
   * @param changes journal of settings that were changed during the run; there need be none
   *
   * @throws IOException if its record or configuration cannot be read
   */
  public static RunSummary summarize(Path metrics, Path config, Path changes) throws IOException {
    Map<String, Object> settings = config(config);
    new ChangeJournal(changes).inForce().forEach((key, value) -> settings.computeIfPresent(key, (name, old) -> value));
    return summarize(metrics, settings);
  }

  /** Summarises a run whose configuration is known. */
  static RunSummary summarize(Path metrics, Map<String, Object> config) throws IOException {
    SummaryReader record = new SummaryReader();
    // Decoding that forgives: a torn line may end inside a character.
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(Files.newInputStream(metrics), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        record.take(line);
      }
    } catch (NoSuchFileException e) {
      throw new IOException(metrics + " is missing: the run has not begun, or this is no run's folder", e);
    }
    return record.summary(config);
  }

  private static Map<String, Object> config(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + " is missing: this is no run's folder");
    }
    try {
      return extract(ConfigLoader.load(file, List.of()));
    } catch (ConfigException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** The keys that matter for a judgement, null ones left out. */
  static Map<String, Object> extract(ValettsConfig config) {
    Map<String, Object> kept = new LinkedHashMap<>();
    ConfigKeys.values(config).forEach((key, value) -> {
      boolean wanted = CONFIG.stream().anyMatch(key::startsWith);
      if (wanted && (value instanceof Number || value instanceof Boolean || value instanceof String)) {
        kept.put(key, value);
      }
    });
    return kept;
  }

  private void take(String line) {
    if (line.isBlank()) {
      return;
    }
    try {
      JsonNode node = JSON.readTree(line);
      if (!node.isObject() || !node.path("step").canConvertToLong()) {
        unreadable++;
        return;
      }
      take(node);
    } catch (JsonProcessingException e) {
      unreadable++;
    }
  }

  private void take(JsonNode line) {
    long at = line.get("step").longValue();
    switch (line.path("kind").asText()) {
      case "started" -> start(at, line);
      case "step" -> {
        step = at;
        epoch = line.path("epoch").asInt();
        trainedSeconds = line.path("trainedSeconds").asDouble(trainedSeconds);
        epochs.add(at, epoch);
        addAll(measures, at, line.path("scalars"), BoundedSeries::ofNoisyValues);
      }
      case "validation" -> {
        step = Math.max(step, at);
        addAll(validation, at, line.path("scalars"), BoundedSeries::ofValidations);
      }
      case "notice" -> notice(at, line.path("level").asText().equals("WARNING"), line.path("text").asText());
      default -> step = Math.max(step, at);
    }
  }

  private void start(long at, JsonNode line) {
    starts++;
    device = line.path("device").asText();
    if (!line.path("resumed").asBoolean()) {
      measures.clear();
      validation.clear();
    }
    measures.values().forEach(series -> series.cutAfter(at));
    validation.values().forEach(series -> series.cutAfter(at));
    epochs.cutAfter(at);
    // Another start may be on another machine: pace and price of the one before say nothing about it.
    measures.keySet().removeIf(tag -> tag.startsWith("perf/") || tag.startsWith("gpu/") || tag.startsWith("cost/"));
    step = at;
  }

  private static void addAll(
      Map<String, BoundedSeries> all, long at, JsonNode scalars, Supplier<BoundedSeries> fresh) {
    scalars.properties().forEach(scalar -> {
      double value = scalar.getValue().asDouble(Double.NaN);
      boolean known = all.containsKey(scalar.getKey());
      if (Double.isFinite(value) && (known || all.size() < MAX_TAGS)) {
        all.computeIfAbsent(scalar.getKey(), tag -> fresh.get()).add(at, value);
      }
    });
  }

  private void notice(long at, boolean warning, String text) {
    if (SKIPPED.matcher(text).matches()) {
      skipped.addLast(at);
      if (skipped.size() > 1000) {
        skipped.removeFirst();
        skippedBefore++;
      }
    }
    notices.addLast(new RunSummary.NoticeLine(at, warning, plain(text)));
    if (notices.size() > MAX_NOTICES) {
      notices.removeFirst();
    }
  }

  /** The text without what belongs to the recordings or the machine: names of utterances, quotations and paths. */
  static String plain(String text) {
    String plain =
        text.replaceAll("(?s)Utterances?:.*", "")
            .replaceAll("\"[^\"]*\"", "\"...\"")
            .replaceAll("(?<![\\w.])(?:[A-Za-z]:)?[\\w.~-]*[/\\\\][^\\s,;:]*", "(path)")
            .replaceAll("\\p{Cntrl}+", " ")
            .strip();
    return plain.length() <= MAX_NOTICE_CHARACTERS ? plain : plain.substring(0, MAX_NOTICE_CHARACTERS) + "...";
  }

  private RunSummary summary(Map<String, Object> config) {
    long from = epochs.isEmpty() ? 0 : Math.round(epochs.recent().get(0).step());
    return new RunSummary(
        step,
        epoch,
        trainedSeconds,
        starts,
        device,
        measured(measures),
        measured(validation),
        skippedBefore + skipped.size(),
        skipped.stream().filter(at -> at >= from).count(),
        Math.max(0, step - from),
        epoch == 0 ? 0 : step / (epoch + 0.5),
        List.copyOf(notices),
        config,
        unreadable);
  }

  private static Map<String, Measure> measured(Map<String, BoundedSeries> all) {
    Map<String, Measure> measured = new LinkedHashMap<>();
    all.forEach((tag, series) -> {
      if (!series.isEmpty()) {
        measured.put(tag, series.measure());
      }
    });
    return measured;
  }
}
