package ai.valetts.benchmarks;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.checkpoint.RunIdentity;
import ai.valetts.checkpoint.TrainState;
import ai.valetts.config.CheckpointConfig;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.BatchAssembler;
import ai.valetts.data.Clip;
import ai.valetts.engine.Batch;
import ai.valetts.engine.BatchTotals;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.Snapshot;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.jni.NativeEngine;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * What a checkpoint costs the loop: how long the copy stops it, how long the writing beside it takes, and how long steps take
 * meanwhile. Arguments: work folder, bundled configuration, device, rounds. Prints the rows of a table.
 */
public final class SnapshotRun {
  private static final int VOCABULARY = 178;
  private static final double CLIP_SECONDS = 1.5;

  private final TrainingSession session;
  private final Batch batch;
  private final ValettsConfig config;
  private long steps;

  private SnapshotRun(TrainingSession session, Batch batch, ValettsConfig config) {
    this.session = session;
    this.batch = batch;
    this.config = config;
  }

  public static void main(String[] arguments) {
    Path work = Path.of(arguments[0]);
    String name = arguments[1];
    String device = arguments[2];
    int rounds = Integer.parseInt(arguments[3]);
    for (String average : List.of("null", "0.999")) {
      ValettsConfig config =
          ConfigLoader.bundled(name, List.of(ConfigOverride.parse("optimizer.averageDecay=" + average)));
      NativeEngine engine = NativeEngine.open(TrainStepRun.cacheFolder());
      int rateHz = config.audio().sampleRateHz();
      int hop = config.audio().hopLength();
      List<Clip> clips = FormulaClips.ofLength(1, CLIP_SECONDS, rateHz, hop, VOCABULARY);
      EngineConfig sizes =
          new EngineConfig(
              config.audio(), config.model(), config.optimizer(), VOCABULARY, 1, config.training().segmentSamples(), 0,
              config.training().seed(), device, "fp32", false);
      try (TrainingSession session = engine.createSession(sizes);
          Batch batch =
              new BatchAssembler(new FormulaClips(rateHz), hop, engine.batchMemory(device)).assemble(clips)) {
        new SnapshotRun(session, batch, config).measure(work.resolve("average-" + average), average, rounds);
      }
    }
  }

  private void measure(Path work, String average, int rounds) {
    CheckpointStore store =
        new CheckpointStore(work, new CheckpointConfig(null, null, 1), Map.of(), text -> {});
    double[] pauses = new double[rounds];
    double[] writes = new double[rounds];
    double alone = step();
    alone = step();
    double slowest = 0;
    long bytes = 0;
    for (int round = 0; round < rounds; round++) {
      long asked = System.nanoTime();
      Snapshot snapshot = session.snapshot();
      TrainState state = new TrainState(steps, 0, 0, 0, 0, Double.NaN, 0, 0, Double.NaN, 0);
      CompletableFuture<Checkpoint> writing =
          CompletableFuture.supplyAsync(
              () -> {
                try (snapshot) {
                  return store.save(state, new RunIdentity(1, 0, "benchmark", ""), snapshot::write);
                }
              });
      long begun = System.nanoTime();
      pauses[round] = (begun - asked) / 1e9;
      while (!writing.isDone()) {
        slowest = Math.max(slowest, step());
      }
      bytes = writing.join().bytes();
      writes[round] = (System.nanoTime() - begun) / 1e9;
      alone = Math.min(alone, step());
    }
    double first = pauses[0];
    Arrays.sort(pauses);
    Arrays.sort(writes);
    System.out.printf(
        Locale.ROOT,
        "| %s | %.0f | %.3f | %.3f | %.3f | %.1f | %.2f | %.2f |%n",
        average.equals("null") ? "none" : average, bytes / 1e6, first, pauses[rounds / 2], pauses[rounds - 1],
        writes[rounds / 2], alone, slowest);
  }

  private double step() {
    double rate = config.optimizer().learningRate();
    long start = System.nanoTime();
    session.step(
        batch,
        new StepParams(
            steps++, rate, rate, rate, config.optimizer().melWeight(), config.optimizer().klWeight(), 0, 0, BatchTotals.OWN));
    return (System.nanoTime() - start) / 1e9;
  }
}
