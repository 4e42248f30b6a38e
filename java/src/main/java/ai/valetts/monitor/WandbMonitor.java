package ai.valetts.monitor;

import ai.valetts.event.Notice;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Writes a run as Weights &amp; Biases' own client does when it is offline: {@code wandb/offline-run-TIME-ID/run-ID.wandb}
 * with the media beside it under {@code files/}. Needs neither network nor key. Each start of the run is a run of its own
 * there, all in one group, with {@code global_step} as their common axis.
 *
 * <p>Rows come every {@code everySteps} steps and at validations; the summary holds the last value of everything.
 */
public final class WandbMonitor implements RunListener {
  private static final Duration FLUSH_EVERY = Duration.ofSeconds(3);
  private static final String AXIS = "global_step";
  private static final String ID_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
  private static final int ID_LENGTH = 8;

  // Fields of wandb_internal.Record and of the messages in it.
  private static final int HISTORY = 2;
  private static final int SUMMARY = 3;
  private static final int FILES = 6;
  private static final int METRIC = 12;
  private static final int OUTPUT_RAW = 13;
  private static final int RUN = 17;
  private static final int EXIT = 18;
  private static final int HEADER = 21;
  private static final int ITEM = 1;
  private static final int ITEM_KEY = 1;
  private static final int ITEM_NESTED_KEY = 2;
  private static final int ITEM_JSON = 16;
  private static final int FILE_IS_MEDIA = 2;

  private final ObjectMapper json = new ObjectMapper();
  private final Path run;
  private final Settings settings;
  private final Consumer<String> warning;
  private final Map<String, String> processEnvironment;
  private final Clock clock;
  private final Map<String, Object> summary = new LinkedHashMap<>();
  private final Set<String> declared = new HashSet<>();
  private final Set<String> linked = new HashSet<>();
  private WandbFile file;
  private Path folder;
  private WandbUpload upload;
  private Instant started;
  private long row;
  private long step;
  private long flushedMillis;
  private RunEnded end;

  /**
   * What the files say of the run.
   *
   * @param project it belongs to
   * @param entity user or team; null leaves it to whoever uploads
   * @param everySteps steps between rows
   * @param configuration keys and values to show
   * @param upload whether to hand the files to the official client as they grow
   */
  public record Settings(
      String project, String entity, int everySteps, Map<String, Object> configuration, boolean upload) {}

  /**
   * @param run folder of the run; its media files are linked into the new folder, so {@link MediaFiles} comes first
   * @param warning told once where an upload is asked for and cannot be
   */
  public WandbMonitor(Path run, Settings settings, Consumer<String> warning) {
    this(run, settings, warning, System.getenv(), Clock.systemUTC());
  }

  WandbMonitor(
      Path run, Settings settings, Consumer<String> warning, Map<String, String> processEnvironment, Clock clock) {
    this.run = run;
    this.settings = settings;
    this.warning = warning;
    this.processEnvironment = processEnvironment;
    this.clock = clock;
  }

  @Override
  public String name() {
    return "The Weights & Biases monitor (monitor.wandb)";
  }

  @Override
  public void on(RunEvent event) throws IOException {
    if (event instanceof RunStarted beginning) {
      start(beginning);
    }
    if (file == null) {
      return;
    }
    if (event instanceof StepCompleted completed) {
      step = completed.step();
      if (step % settings.everySteps() == 0) {
        Map<String, Object> values = new LinkedHashMap<>(completed.scalars());
        values.put("epoch", completed.epoch());
        write(values);
      }
    } else if (event instanceof ValidationCompleted validation) {
      step = validation.step();
      Map<String, Object> values = new LinkedHashMap<>(validation.scalars());
      for (RunRecord.Media media : MediaFiles.keptOf(validation)) {
        if (Files.isRegularFile(run.resolve(media.file())) && linked.add(media.file())) {
          values.put(media.tag(), link(media));
        }
      }
      write(values);
      flush();
    } else if (event instanceof Notice notice) {
      say(notice);
    } else if (event instanceof RunEnded ended) {
      end = ended;
    }
    if (clock.millis() - flushedMillis >= FLUSH_EVERY.toMillis()) {
      flush();
    }
  }

  /** The folder of this start; null before it. */
  Path folder() {
    return folder;
  }

  /** Records written by this start. */
  long records() {
    return file == null ? 0 : file.records();
  }

  private void start(RunStarted beginning) throws IOException {
    started = clock.instant();
    step = beginning.step();
    String id = newId();
    String time = DateTimeFormatter.ofPattern("yyyyMMdd_HHmmss").withZone(ZoneOffset.UTC).format(started);
    folder = run.resolve("wandb").resolve("offline-run-" + time + "-" + id);
    Files.createDirectories(folder.resolve("files"));
    file = new WandbFile(folder.resolve("run-" + id + ".wandb"));
    file.write(HEADER, new ProtobufMessage().message(1, new ProtobufMessage().text(1, "valetts")));
    file.write(RUN, describe(beginning, id));
    declare(AXIS);
    flush();
    if (settings.upload()) {
      upload = WandbUpload.begin(folder, processEnvironment);
      if (upload == null) {
        warning.accept("monitor.wandb.upload is true, but nothing is uploaded: " + WandbUpload.missing(processEnvironment)
            + ". Mend that and resume, or upload later: wandb sync " + folder);
      }
    }
  }

  private ProtobufMessage describe(RunStarted beginning, String id) throws IOException {
    ProtobufMessage configuration = new ProtobufMessage();
    for (Map.Entry<String, Object> entry : settings.configuration().entrySet()) {
      configuration.message(ITEM, item(ITEM_KEY, entry.getKey(), entry.getValue()));
    }
    for (Map.Entry<String, String> entry : beginning.environment().entrySet()) {
      configuration.message(ITEM, item(ITEM_KEY, "environment." + entry.getKey(), entry.getValue()));
    }
    configuration.message(ITEM, item(ITEM_KEY, "environment.device", beginning.device()));
    ProtobufMessage description = new ProtobufMessage().text(1, id);
    if (settings.entity() != null) {
      description.text(2, settings.entity());
    }
    return description
        .text(3, settings.project())
        .message(4, configuration)
        .text(6, beginning.run())
        .text(7, "train")
        .text(8, beginning.resumed() ? beginning.run() + " from " + beginning.step() : beginning.run())
        .message(17, timestamp());
  }

  private ProtobufMessage timestamp() {
    Instant now = clock.instant();
    return new ProtobufMessage().integer(1, now.getEpochSecond()).integer(2, now.getNano());
  }

  private static String newId() {
    SecureRandom random = new SecureRandom();
    StringBuilder id = new StringBuilder();
    for (int i = 0; i < ID_LENGTH; i++) {
      id.append(ID_LETTERS.charAt(random.nextInt(ID_LETTERS.length())));
    }
    return id.toString();
  }

  /** One row of history, and the summary with it: whoever replays the file derives neither. */
  private void write(Map<String, Object> values) throws IOException {
    double now = clock.millis() / 1e3;
    Map<String, Object> whole = new LinkedHashMap<>(values);
    whole.put(AXIS, step);
    whole.put("_step", row++);
    whole.put("_runtime", now - started.toEpochMilli() / 1e3);
    whole.put("_timestamp", now);
    for (String tag : values.keySet()) {
      declare(tag);
    }
    ProtobufMessage history = new ProtobufMessage();
    ProtobufMessage latest = new ProtobufMessage();
    for (Map.Entry<String, Object> entry : whole.entrySet()) {
      history.message(ITEM, item(ITEM_NESTED_KEY, entry.getKey(), entry.getValue()));
      latest.message(ITEM, item(ITEM_NESTED_KEY, entry.getKey(), entry.getValue()));
    }
    history.message(2, new ProtobufMessage().integer(1, row - 1));
    file.write(HISTORY, history);
    file.write(SUMMARY, latest);
    summary.putAll(whole);
  }

  /** Tells once for each tag that it is drawn over the steps of training, not over the rows. */
  private void declare(String tag) throws IOException {
    if (!declared.add(tag)) {
      return;
    }
    ProtobufMessage metric = new ProtobufMessage().text(1, tag);
    if (!tag.equals(AXIS)) {
      metric.text(4, AXIS).message(6, new ProtobufMessage().integer(1, 1).integer(3, 1));
    } else {
      metric.message(6, new ProtobufMessage().integer(3, 1));
    }
    file.write(METRIC, metric);
  }

  private Map<String, Object> link(RunRecord.Media media) throws IOException {
    Path source = run.resolve(media.file());
    byte[] bytes = Files.readAllBytes(source);
    String sha256 = sha256(bytes);
    String extension = media.isAudio() ? ".wav" : ".png";
    String name =
        "%s_%d_%s%s".formatted(media.tag().replaceAll("[^\\p{L}\\p{N}._-]", "_"), step, sha256.substring(0, 20), extension);
    String path = "media/" + (media.isAudio() ? "audio/" : "images/") + name;
    Path target = folder.resolve("files").resolve(path);
    Files.createDirectories(target.getParent());
    try {
      Files.createLink(target, source);
    } catch (IOException | UnsupportedOperationException noLinksHere) {
      Files.write(target, bytes);
    }
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("_type", media.isAudio() ? "audio-file" : "image-file");
    value.put("sha256", sha256);
    value.put("size", bytes.length);
    value.put("path", path);
    if (media.isAudio()) {
      value.put("caption", media.text());
    } else {
      ByteBuffer png = ByteBuffer.wrap(bytes);
      value.put("format", "png");
      value.put("width", png.getInt(16));
      value.put("height", png.getInt(20));
    }
    file.write(
        FILES,
        new ProtobufMessage()
            .message(ITEM, new ProtobufMessage().text(1, path).integer(2, 0).integer(3, FILE_IS_MEDIA)));
    return value;
  }

  private void say(Notice notice) throws IOException {
    String line = (notice.level() == Notice.Level.WARNING ? "warning: " : "") + notice.text() + "\n";
    file.write(OUTPUT_RAW, new ProtobufMessage().integer(1, 1).message(2, timestamp()).text(3, line));
  }

  private ProtobufMessage item(int keyField, String key, Object value) throws IOException {
    return new ProtobufMessage().text(keyField, key).text(ITEM_JSON, json.writeValueAsString(value));
  }

  private void flush() throws IOException {
    file.flush();
    flushedMillis = clock.millis();
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java runtime has SHA-256", e);
    }
  }

  @Override
  public void close() throws IOException {
    if (file == null) {
      return;
    }
    ProtobufMessage latest = new ProtobufMessage();
    for (Map.Entry<String, Object> entry : summary.entrySet()) {
      latest.message(ITEM, item(ITEM_NESTED_KEY, entry.getKey(), entry.getValue()));
    }
    file.write(SUMMARY, latest);
    long seconds = Duration.between(started, clock.instant()).toSeconds();
    file.write(EXIT, new ProtobufMessage().integer(1, end != null && !end.failed() ? 0 : 1).integer(2, seconds));
    file.close();
    if (upload != null) {
      upload.ended();
    }
  }
}
