package ai.valetts.monitor;

import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Appends what happens in a run to {@code metrics.jsonl}, one JSON object a line: the run's own record, which
 * {@link RunRecord} reads. Nothing is ever taken out of it; after a resume the reader leaves out what the run did beyond
 * the step it went back to.
 */
public final class MetricsJournal implements RunListener {
  private final ObjectMapper json = new ObjectMapper();
  private final Path file;
  private final int everySteps;
  private Writer out;
  private long step;

  /**
   * @param file in the run's folder, appended to; created with the first event
   * @param everySteps steps between lines of step losses
   */
  public MetricsJournal(Path file, int everySteps) {
    this.file = file;
    this.everySteps = everySteps;
  }

  @Override
  public String name() {
    return "Writing metrics.jsonl, the run's record,";
  }

  @Override
  public void on(RunEvent event) throws IOException {
    if (event instanceof StepCompleted completed) {
      step = completed.step();
      if (step % everySteps == 0) {
        append(step(completed));
      }
    } else if (event instanceof ValidationCompleted validation) {
      Map<String, Object> line = line("validation", validation.step());
      line.put("seconds", validation.seconds());
      line.put("scalars", validation.scalars());
      line.put("media", media(validation));
      append(line);
    } else if (event instanceof RunStarted started) {
      step = started.step();
      Map<String, Object> line = line("started", step);
      line.put("run", started.run());
      line.put("resumed", started.resumed());
      line.put("device", started.device());
      line.put("environment", started.environment());
      line.put("config", started.configText());
      append(line);
    } else if (event instanceof CheckpointSaved saved) {
      Map<String, Object> line = line("checkpoint", saved.step());
      line.put("directory", relative(saved.directory()));
      line.put("bytes", saved.bytes());
      append(line);
    } else if (event instanceof Notice notice) {
      Map<String, Object> line = line("notice", step);
      line.put("level", notice.level().name());
      line.put("text", notice.text());
      append(line);
    } else if (event instanceof RunEnded ended) {
      Map<String, Object> line = line("ended", ended.step());
      line.put("reason", ended.reason());
      line.put("failed", ended.failed());
      append(line);
    }
  }

  private static Map<String, Object> step(StepCompleted completed) {
    Progress progress = completed.progress();
    Map<String, Object> line = line("step", completed.step());
    line.put("epoch", completed.epoch());
    line.put("trainedSeconds", progress.trainedSeconds());
    line.put("fraction", progress.fraction());
    line.put("secondsToGo", progress.secondsToGo());
    line.put("limit", progress.limit());
    line.put("scalars", completed.scalars());
    return line;
  }

  private static List<Map<String, Object>> media(ValidationCompleted validation) {
    List<Map<String, Object>> media = new ArrayList<>();
    for (RunRecord.Media kept : MediaFiles.keptOf(validation)) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("tag", kept.tag());
      entry.put("file", kept.file());
      if (kept.isAudio()) {
        entry.put("text", kept.text());
        entry.put("sampleRateHz", kept.sampleRateHz());
        entry.put("samples", kept.samples());
      }
      media.add(entry);
    }
    return media;
  }

  @Override
  public void missed(long steps) throws IOException {
    Map<String, Object> line = line("missed", step);
    line.put("steps", steps);
    append(line);
  }

  private static Map<String, Object> line(String kind, long step) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", kind);
    line.put("step", step);
    line.put("time", Instant.now().toString());
    return line;
  }

  /** A run can be moved: what lies in its folder is named from there. */
  private String relative(Path path) {
    Path run = file.toAbsolutePath().normalize().getParent();
    Path whole = path.toAbsolutePath().normalize();
    return (whole.startsWith(run) ? run.relativize(whole) : whole).toString();
  }

  private void append(Map<String, Object> line) throws IOException {
    if (out == null) {
      boolean torn = isTorn();
      out = Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      if (torn) {
        out.write('\n');
      }
    }
    out.write(json.writeValueAsString(line));
    out.write('\n');
    out.flush();
  }

  /** Whether the process before was ended in the middle of a line. */
  private boolean isTorn() throws IOException {
    if (!Files.exists(file) || Files.size(file) == 0) {
      return false;
    }
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "r")) {
      bytes.seek(bytes.length() - 1);
      return bytes.read() != '\n';
    }
  }

  @Override
  public void close() throws IOException {
    if (out != null) {
      out.close();
    }
  }
}
