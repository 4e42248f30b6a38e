package ai.valetts.monitor;

import ai.valetts.event.AudioSample;
import ai.valetts.event.HeatMap;
import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs to upload; its main method writes one for ever, to be killed in the middle. */
final class WandbRuns {
  private WandbRuns() {}

  static WandbMonitor.Settings settings(boolean upload) {
    Map<String, Object> configuration = new LinkedHashMap<>();
    configuration.put("optimizer.learningRate", 2e-4);
    configuration.put("training.maxMinutes", null);
    configuration.put("data.bucketFrames", List.of(64, 128));
    return new WandbMonitor.Settings("voices", null, 10, configuration, upload);
  }

  static void tell(List<RunListener> listeners, RunEvent event) throws Exception {
    for (RunListener listener : listeners) {
      listener.on(event);
    }
  }

  static RunStarted started(long step) {
    return new RunStarted("ana", step, step > 0, "cpu", "name: ana", Map.of("Java", "17"));
  }

  static StepCompleted step(long step) {
    Map<String, Double> scalars = new LinkedHashMap<>();
    scalars.put("loss/g/total", step == 30 ? Double.NaN : 100.0 / step);
    for (int i = 0; i < 40; i++) {
      scalars.put("loss/part/" + i, step + i / 100.0);
    }
    return new StepCompleted(step, 0, scalars, new Progress(1, 1, 1, 1, 0, Double.NaN, ""));
  }

  static ValidationCompleted validation(long step) {
    float[] values = new float[80 * 60];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % (step + 3);
    }
    return new ValidationCompleted(
        step,
        Map.of("val/mel_l1", 0.5),
        List.of(
            new AudioSample("sample/ana/0", new float[800], 8000, "Olá, \"mundo\"."),
            new AudioSample("gt/audio", new float[80], 8000, "fala")),
        List.of(new HeatMap("gen/mel", 80, 60, values)),
        1);
  }

  /** Steps in the given range, a validation every hundred. */
  static void run(List<RunListener> listeners, long from, long to) throws Exception {
    for (long step = from + 1; step <= to; step++) {
      tell(listeners, step(step));
      if (step % 100 == 0) {
        tell(listeners, validation(step));
        tell(listeners, Notice.warning("mind step " + step));
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    Path run = Path.of(arguments[0]);
    List<RunListener> listeners = List.of(new MediaFiles(run), new WandbMonitor(run, settings(false), text -> {}));
    tell(listeners, started(0));
    run(listeners, 0, 2000);
    System.out.println("ready");
    for (long step = 2000; ; step++) {
      run(listeners, step, step + 1);
      if (step == 1L << 40) {
        tell(listeners, new RunEnded(step, "never", false));
      }
    }
  }
}
