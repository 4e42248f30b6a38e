package ai.valetts.monitor;

import ai.valetts.event.AudioSample;
import ai.valetts.event.HeatMap;
import ai.valetts.event.Notice;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;

/** Writes a run's TensorBoard event files; one new file each time the run is started. */
public final class TensorBoardMonitor implements RunListener {
  private final Path directory;
  private final int everySteps;
  private TensorBoardWriter writer;
  private long step;

  /**
   * @param directory of the event files; created when the run starts
   * @param everySteps steps between scalars
   */
  public TensorBoardMonitor(Path directory, int everySteps) {
    this.directory = directory;
    this.everySteps = everySteps;
  }

  @Override
  public void on(RunEvent event) throws IOException {
    if (event instanceof RunStarted started) {
      start(started);
    }
    if (writer == null) {
      return;
    }
    if (event instanceof StepCompleted completed) {
      step = completed.step();
      if (step % everySteps == 0) {
        scalars(completed.scalars(), step);
      }
    } else if (event instanceof ValidationCompleted validation) {
      validated(validation);
    } else if (event instanceof Notice notice && notice.level() == Notice.Level.WARNING) {
      writer.text("run/notices", notice.text(), step);
    } else if (event instanceof RunEnded) {
      writer.flush();
    }
  }

  private void start(RunStarted started) throws IOException {
    step = started.step();
    writer = new TensorBoardWriter(directory, Clock.systemUTC());
    if (started.resumed()) {
      writer.sessionStart(step);
    }
    writer.text("run/config", "```yaml\n" + started.configText() + "\n```", step);
    writer.flush();
  }

  private void scalars(Map<String, Double> scalars, long atStep) throws IOException {
    for (Map.Entry<String, Double> scalar : scalars.entrySet()) {
      writer.scalar(scalar.getKey(), scalar.getValue(), atStep);
    }
  }

  private void validated(ValidationCompleted validation) throws IOException {
    scalars(validation.scalars(), validation.step());
    for (AudioSample sample : validation.audio()) {
      byte[] wav = WavBytes.of(sample.samples(), sample.sampleRateHz());
      writer.wav(sample.tag(), wav, sample.sampleRateHz(), sample.samples().length, validation.step());
    }
    for (HeatMap image : validation.images()) {
      HeatMapPng png = new HeatMapPng(image);
      writer.png(image.tag(), png.bytes(), png.width(), png.height(), validation.step());
    }
    writer.flush();
  }

  @Override
  public void close() throws IOException {
    if (writer != null) {
      writer.close();
    }
  }
}
