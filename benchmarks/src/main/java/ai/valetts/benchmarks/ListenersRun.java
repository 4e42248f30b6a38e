package ai.valetts.benchmarks;

import ai.valetts.event.AudioSample;
import ai.valetts.event.EventBus;
import ai.valetts.event.HeatMap;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import ai.valetts.monitor.ConsoleProgress;
import ai.valetts.monitor.MachineMeter;
import ai.valetts.monitor.MediaFiles;
import ai.valetts.monitor.MetricsJournal;
import ai.valetts.monitor.TensorBoardMonitor;
import ai.valetts.monitor.WandbMonitor;
import ai.valetts.report.page.RunPageListener;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What listeners cost the loop: steps of a fixed amount of arithmetic, alternately with nobody listening and with every
 * listener of a run (journal, media files, TensorBoard with histograms, Weights &amp; Biases, page, console), and a
 * validation with sounds and pictures every hundred. Prints one row of a table for each length of step.
 *
 * <p>Arguments: a work folder, steps in a round, rounds, steps between points, then lengths of a step in milliseconds.
 */
public final class ListenersRun {
  private static final int VALIDATE_EVERY = 100;
  private static final int CLIPS = 4;
  private static final int RATE_HZ = 22050;

  private final int everySteps;
  private double sink;

  private ListenersRun(int everySteps) {
    this.everySteps = everySteps;
  }

  /** How a round went, in nanoseconds. */
  private record Round(
      double medianStep, double cpuPerStep, double publishPerStep, double listenerCpuPerStep, long dropped) {}

  public static void main(String[] arguments) throws Exception {
    ListenersRun measurement = new ListenersRun(Integer.parseInt(arguments[3]));
    Path folder = Path.of(arguments[0]);
    int steps = Integer.parseInt(arguments[1]);
    int rounds = Integer.parseInt(arguments[2]);
    for (String millis : Arrays.asList(arguments).subList(4, arguments.length)) {
      measurement.compare(folder, steps, rounds, Double.parseDouble(millis));
    }
    if (Double.isNaN(measurement.sink)) {
      throw new IllegalStateException("the arithmetic went wrong");
    }
  }

  private void compare(Path folder, int steps, int rounds, double stepMillis) throws Exception {
    int turns = calibrate(stepMillis);
    round(folder, steps / 5, turns, true);
    List<Round> without = new ArrayList<>();
    List<Round> with = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      without.add(round(folder, steps, turns, false));
      with.add(round(folder, steps, turns, true));
    }
    double alone = median(without.stream().mapToDouble(Round::medianStep).toArray());
    double watched = median(with.stream().mapToDouble(Round::medianStep).toArray());
    double cpuAlone = median(without.stream().mapToDouble(Round::cpuPerStep).toArray());
    double cpuWatched = median(with.stream().mapToDouble(Round::cpuPerStep).toArray());
    double publish = median(with.stream().mapToDouble(Round::publishPerStep).toArray());
    double cpu = median(with.stream().mapToDouble(Round::listenerCpuPerStep).toArray());
    System.out.printf(
        Locale.ROOT, "| %d | %.2f | %.2f | %+.2f %% | %.2f | %.2f | %+.2f %% | %.1f | %.3f %% | %.0f | %d |%n",
        everySteps, alone / 1e6, watched / 1e6, (watched / alone - 1) * 100,
        cpuAlone / 1e6, cpuWatched / 1e6, (cpuWatched / cpuAlone - 1) * 100,
        publish / 1e3, publish / alone * 100, cpu / 1e3, with.stream().mapToLong(Round::dropped).sum());
  }

  private int calibrate(double millis) {
    int turns = 1000;
    for (int i = 0; i < 30; i++) {
      long begin = System.nanoTime();
      work(turns);
      double took = (System.nanoTime() - begin) / 1e6;
      turns = (int) Math.max(1000, Math.min(turns * 4.0, turns * millis / took));
    }
    return turns;
  }

  private void work(int turns) {
    double value = sink;
    for (int i = 0; i < turns * 16; i++) {
      value += Math.sqrt(i + value * 1e-9);
    }
    sink = value % 1000;
  }

  private Round round(Path folder, int steps, int turns, boolean listened) throws Exception {
    Path run = Files.createTempDirectory(folder, "run");
    long[] took = new long[steps];
    long[] publishing = new long[steps];
    EventBus bus =
        new EventBus(
            listened ? listeners(run) : List.of(), 2048, System.err::println, new MachineMeter(everySteps), String::valueOf);
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long busThread =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().equals("valetts-events"))
            .findFirst()
            .orElseThrow()
            .getId();
    bus.publish(new RunStarted("benchmark", 0, false, "cpu", "name: benchmark", Map.of()));
    long loopCpu = 0;
    for (int i = 1; i <= steps; i++) {
      RunEvent event = step(i, steps);
      long cpuBegin = threads.getCurrentThreadCpuTime();
      long begin = System.nanoTime();
      work(turns);
      long worked = System.nanoTime();
      bus.publish(event);
      long published = System.nanoTime();
      loopCpu += threads.getCurrentThreadCpuTime() - cpuBegin;
      publishing[i - 1] = published - worked;
      took[i - 1] = published - begin;
      if (i % VALIDATE_EVERY == 0) {
        bus.publish(validation(i));
      }
    }
    long cpu = threads.getThreadCpuTime(busThread);
    bus.publish(new RunEnded(steps, "done", false));
    bus.close();
    return new Round(
        median(Arrays.stream(took).asDoubleStream().toArray()), (double) loopCpu / steps,
        median(Arrays.stream(publishing).asDoubleStream().toArray()), (double) cpu / steps, bus.dropped());
  }

  private List<RunListener> listeners(Path run) {
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    Path metrics = run.resolve("metrics.jsonl");
    return List.of(
        new MediaFiles(run),
        new MetricsJournal(metrics, everySteps),
        new TensorBoardMonitor(run.resolve("tensorboard"), everySteps, true),
        new WandbMonitor(run, new WandbMonitor.Settings("benchmark", null, everySteps, Map.of(), false), text -> {}),
        new ConsoleProgress(nowhere, false, everySteps),
        new RunPageListener(run, metrics, run.resolve("report.html")));
  }

  private static RunEvent step(long step, int steps) {
    Map<String, Double> scalars = new LinkedHashMap<>();
    for (int i = 0; i < 45; i++) {
      scalars.put("loss/g/part/" + i, i + 1.0 / step);
    }
    return new StepCompleted(step, 0, scalars, new Progress(1, 16, 1, step, (double) step / steps, steps - step, "steps"));
  }

  private static RunEvent validation(long step) {
    List<AudioSample> audio = new ArrayList<>();
    List<HeatMap> images = new ArrayList<>();
    for (int clip = 0; clip < CLIPS; clip++) {
      audio.add(new AudioSample("gen/audio_" + clip, new float[3 * RATE_HZ], RATE_HZ, "text"));
      audio.add(new AudioSample("sample/ana/" + clip, new float[3 * RATE_HZ], RATE_HZ, "text"));
      images.add(new HeatMap("gen/mel_" + clip, 80, 258, new float[80 * 258]));
      images.add(new HeatMap("all/attn_" + clip, 60, 258, new float[60 * 258]));
    }
    return new ValidationCompleted(step, Map.of("val/mel_l1", 1.0 / step), audio, images, 1);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
