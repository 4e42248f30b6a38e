package ai.valetts.monitor;

import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.Notice;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** Appends what happens in a run to {@code metrics.jsonl}, one JSON object a line. */
public final class MetricsJournal implements RunListener {
  private final ObjectMapper json = new ObjectMapper();
  private final Path file;
  private final int everySteps;
  private Writer out;
  private long step;

  /**
   * @param file appended to; created with the first event
   * @param everySteps steps between lines of step losses
   */
  public MetricsJournal(Path file, int everySteps) {
    this.file = file;
    this.everySteps = everySteps;
  }

  @Override
  public void on(RunEvent event) throws IOException {
    if (event instanceof StepCompleted completed) {
      step = completed.step();
      if (step % everySteps == 0) {
        Map<String, Object> line = line("step", step);
        line.put("epoch", completed.epoch());
        line.put("trainedSeconds", completed.progress().trainedSeconds());
        line.put("scalars", completed.scalars());
        append(line);
      }
    } else if (event instanceof ValidationCompleted validation) {
      Map<String, Object> line = line("validation", validation.step());
      line.put("seconds", validation.seconds());
      line.put("scalars", validation.scalars());
      append(line);
    } else if (event instanceof RunStarted started) {
      step = started.step();
      Map<String, Object> line = line("started", step);
      line.put("resumed", started.resumed());
      line.put("device", started.device());
      append(line);
    } else if (event instanceof CheckpointSaved saved) {
      Map<String, Object> line = line("checkpoint", saved.step());
      line.put("directory", saved.directory().toString());
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

  private static Map<String, Object> line(String kind, long step) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", kind);
    line.put("step", step);
    line.put("time", Instant.now().toString());
    return line;
  }

  private void append(Map<String, Object> line) throws IOException {
    if (out == null) {
      out = Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
    out.write(json.writeValueAsString(line));
    out.write('\n');
    out.flush();
  }

  @Override
  public void close() throws IOException {
    if (out != null) {
      out.close();
    }
  }
}
