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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a run's TensorBoard event files; one new file each time the run is started. It begins with a mark by which
 * TensorBoard drops what the files before it hold beyond the step that the run went back to.
 *
 * <p>Histograms, if asked for, show how each loss and gradient norm was spread over the steps since the last point, and at
 * validations how the values of each spectrogram are.
 */
public final class TensorBoardMonitor implements RunListener {
  private static final List<String> SPREAD = List.of("loss/", "grad_norm");

  private final Path directory;
  private final int everySteps;
  private final boolean histograms;
  private final Map<String, List<Double>> sincePoint = new LinkedHashMap<>();
  private TensorBoardWriter writer;
  private long step;

  /**
   * @param directory of the event files; created when the run starts
   * @param everySteps steps between scalars
   * @param histograms whether to write histograms as well
   */
  public TensorBoardMonitor(Path directory, int everySteps, boolean histograms) {
    this.directory = directory;
    this.everySteps = everySteps;
    this.histograms = histograms;
  }

  @Override
  public String name() {
    return "The TensorBoard monitor (monitor.tensorboard)";
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
      stepped(completed);
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
    // The first mark of all puts nothing out of date, yet without it the second would count as the first.
    writer.sessionStart(step + 1);
    writer.text("run/config", "```yaml\n" + started.configText() + "\n```", step);
    writer.text("run/environment", table(started), step);
    writer.flush();
  }

  private static String table(RunStarted started) {
    StringBuilder text = new StringBuilder("| | |\n| --- | --- |\n");
    text.append("| device | ").append(started.device()).append(" |\n");
    started.environment().forEach(
        (name, value) -> text.append("| ").append(name).append(" | ").append(value.replace("|", "\\|")).append(" |\n"));
    return text.toString();
  }

  private void stepped(StepCompleted completed) throws IOException {
    step = completed.step();
    if (histograms) {
      completed.scalars().forEach((tag, value) -> {
        if (SPREAD.stream().anyMatch(tag::startsWith)) {
          sincePoint.computeIfAbsent(tag, name -> new ArrayList<>()).add(value);
        }
      });
    }
    if (step % everySteps != 0) {
      return;
    }
    scalars(completed.scalars(), step);
    for (Map.Entry<String, List<Double>> values : sincePoint.entrySet()) {
      double[] array = values.getValue().stream().mapToDouble(Double::doubleValue).toArray();
      writer.histogram("histogram/" + values.getKey(), Histogram.of(array), step);
    }
    sincePoint.clear();
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
      if (histograms && image.tag().contains("mel")) {
        writer.histogram("histogram/" + image.tag(), Histogram.of(image.values()), validation.step());
      }
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
