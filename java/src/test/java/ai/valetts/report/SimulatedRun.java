package ai.valetts.report;

import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ConfigWriter;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import java.util.function.LongToDoubleFunction;

/** A run's folder whose curves come from formulas: healthy ones, unless one is replaced. */
public final class SimulatedRun {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final SplittableRandom random = new SplittableRandom(7);
  private final Map<String, LongToDoubleFunction> curves = new TreeMap<>();
  private final Map<String, LongToDoubleFunction> validation = new TreeMap<>();
  private final List<String> overrides = new ArrayList<>();
  private long steps = 20_000;
  private int logEvery = 100;
  private int validateEvery = 1000;
  private double stepsPerEpoch = 350;
  private LongPredicate skipped = step -> false;
  private long killedAt = -1;

  public SimulatedRun() {
    curve("loss/g/mel_l1", step -> noisy(0.04, 0.42 + 0.9 * Math.exp(-step / 6000.0) + 0.3 * Math.exp(-step / 60000.0)));
    curve("loss/g/kl", step -> noisy(0.08, 1.7 + 20 * Math.exp(-step / 60.0)));
    curve("loss/g/dur", step -> noisy(0.05, 1.3 + 1.2 * Math.exp(-step / 2500.0)));
    curve("loss/g/gen", step -> noisy(0.1, 2.1 + 3.3 * Math.exp(-step / 40.0)));
    curve("loss/g/fm", step -> noisy(0.1, 2 + 4 * (1 - Math.exp(-step / 20000.0))));
    curve("loss/d/total", step -> noisy(0.06, 2.4 + 3 * Math.exp(-step / 40.0)));
    for (int i = 0; i < 6; i++) {
      curve("loss/d_r/" + i, step -> noisy(0.1, 0.2));
      curve("loss/d_g/" + i, step -> noisy(0.1, 0.2));
    }
    curve("grad_norm_g", step -> noisy(0.35, 40 + 60 * Math.exp(-step / 3000.0)));
    curve("grad_norm_d", step -> noisy(0.35, 6));
    curve("learning_rate", step -> 2e-4 * Math.pow(0.999875, step / 350));
    curve("amp/loss_scale", step -> step < 50 ? 65536 : 32768);
    curve("perf/it_s", step -> noisy(0.03, 3.1));
    curve("perf/data_wait_ms", step -> noisy(0.5, 4));
    curve("gpu/0/utilization_percent", step -> Math.min(100, noisy(0.03, 93)));
    held("val/mel_l1", step -> noisy(0.005, 0.5 + 0.8 * Math.exp(-step / 6000.0) + 0.25 * Math.exp(-step / 60000.0)));
    held("val/mel_ratio", step -> validation.get("val/mel_l1").applyAsDouble(step) / 1.55);
    held("val/kl", step -> noisy(0.02, -40 + 42 * (1 - Math.exp(-step / 900.0))));
    held("val/duration_error", step -> noisy(0.02, 0.2 + 0.2 * Math.exp(-step / 3000.0)));
  }

  /** A value with Gaussian noise of the given share, never beyond three times that. */
  double noisy(double share, double value) {
    double sum = -6;
    for (int i = 0; i < 12; i++) {
      sum += random.nextDouble();
    }
    return value * (1 + share * Math.max(-3, Math.min(3, sum)));
  }

  SimulatedRun curve(String tag, LongToDoubleFunction formula) {
    curves.put(tag, formula);
    return this;
  }

  SimulatedRun held(String tag, LongToDoubleFunction formula) {
    validation.put(tag, formula);
    return this;
  }

  public SimulatedRun set(String override) {
    overrides.add(override);
    return this;
  }

  public SimulatedRun steps(long count, int logged, int validated) {
    steps = count;
    logEvery = logged;
    validateEvery = validated;
    return this;
  }

  SimulatedRun stepsPerEpoch(double count) {
    stepsPerEpoch = count;
    return this;
  }

  SimulatedRun skipping(LongPredicate steps) {
    skipped = steps;
    return this;
  }

  /** Killed at a step, and resumed from a checkpoint 500 steps before, on another and slower machine. */
  SimulatedRun killedAt(long step) {
    killedAt = step;
    return this;
  }

  /** Writes the run's files into a folder. */
  public SimulatedRun write(Path folder) throws IOException {
    List<ConfigOverride> parsed = overrides.stream().map(ConfigOverride::parse).toList();
    Files.writeString(
        folder.resolve("config.yaml"), ConfigWriter.write(ConfigLoader.bundled("base", parsed)));
    StringBuilder lines = new StringBuilder();
    lines.append(line("started", 0, Map.of("resumed", false, "device", "cuda:0 (NVIDIA L4)")));
    if (killedAt > 0) {
      append(lines, 1, killedAt, 1);
      lines.append("{\"kind\":\"step\",\"step\":").append(killedAt + 1).append(",\"sca\n");
      lines.append(line("started", killedAt - 500, Map.of("resumed", true, "device", "cuda:0 (Tesla T4)")));
      append(lines, killedAt - 499, steps, 0.4);
    } else {
      append(lines, 1, steps, 1);
    }
    Files.writeString(folder.resolve("metrics.jsonl"), lines);
    return this;
  }

  private void append(StringBuilder lines, long from, long to, double pace) throws IOException {
    for (long step = from; step <= to; step++) {
      if (skipped.test(step)) {
        lines.append(line("notice", step, Map.of("level", "WARNING", "text",
            "Step " + step + " was skipped: the generator's loss is not finite. Utterances: ana_0001, ana_0002.")));
      } else if (step % logEvery == 0) {
        Map<String, Object> scalars = values(curves, step);
        scalars.computeIfPresent("perf/it_s", (tag, value) -> (double) value * pace);
        lines.append(line("step", step, Map.of(
            "epoch", (int) (step / stepsPerEpoch), "trainedSeconds", step / 3.1, "scalars", scalars)));
      }
      if (step % validateEvery == 0) {
        lines.append(line("validation", step, Map.of("seconds", 20, "scalars", values(validation, step))));
      }
    }
  }

  private static Map<String, Object> values(Map<String, LongToDoubleFunction> formulas, long step) {
    Map<String, Object> values = new LinkedHashMap<>();
    formulas.forEach((tag, formula) -> values.put(tag, formula.applyAsDouble(step)));
    return values;
  }

  private static String line(String kind, long step, Map<String, ?> more) throws IOException {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("kind", kind);
    line.put("step", step);
    line.put("time", "2026-01-01T00:00:00Z");
    line.putAll(more);
    return JSON.writeValueAsString(line) + "\n";
  }

  static RunSummary summary(Path folder) throws IOException {
    return SummaryReader.summarize(folder.resolve("metrics.jsonl"), folder.resolve("config.yaml"), folder.resolve("changes.jsonl"));
  }
}
