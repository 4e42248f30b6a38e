package ai.valetts.training;

import ai.valetts.engine.Batch;
import ai.valetts.engine.EngineIoException;
import ai.valetts.engine.EngineOutOfMemoryException;
import ai.valetts.engine.EngineStateException;
import ai.valetts.engine.Evaluation;
import ai.valetts.engine.Inspection;
import ai.valetts.engine.ModelDescription;
import ai.valetts.engine.NonFiniteLossException;
import ai.valetts.engine.Conversion;
import ai.valetts.engine.Snapshot;
import ai.valetts.engine.StepProfile;
import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.StepMetrics;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.StepPhase;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.Utterance;
import ai.valetts.engine.Voice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntToDoubleFunction;

/**
 * A session with one real weight and one momentum: every step mixes batch, step number and learning rate into them, so
 * any difference in order, state or schedule shows in all later losses.
 */
public class FakeSession implements TrainingSession {
  private static final int MOST_UNREAD = 128;
  public static final String FILE = "generator.safetensors";

  public final List<Double> losses = new ArrayList<>();
  public final List<StepParams> params = new ArrayList<>();
  public final Set<Long> nonFiniteSteps = new HashSet<>();
  public Runnable beforeStep = () -> {};
  public Runnable beforeEvaluate = () -> {};
  public int evaluations;
  public boolean diskFull;
  public boolean brokenWeight;
  /** On the thread that writes a checkpoint. */
  public Runnable beforeWrite = () -> {};
  /** Steps whose batch holds samples that are not numbers. */
  public final Set<Long> unreadableSteps = new HashSet<>();
  /** Utterances that fit into memory at once. */
  public int fitting = Integer.MAX_VALUE;
  /** Above 1: every generator's gradient overflows. */
  public float lossScale = 1;
  public final List<String> pieces = new ArrayList<>();
  public final List<StepPhase> applied = new ArrayList<>();
  public int discards;
  /** What was brought ahead, after how many phases. */
  public final List<String> prefetched = new ArrayList<>();
  /** Sum over four values of one held-out batch, by the number of the evaluation from 1 on; a validation has three. */
  public IntToDoubleFunction melL1 = number -> 2;
  /** How many steps' metrics each reading brought. */
  public final List<Integer> reads = new ArrayList<>();
  private final List<StepMetrics> unread = new ArrayList<>();
  private final List<Double> accumulated = new ArrayList<>();
  /** Generator files given as initial weights; their length becomes the weight. */
  public final List<byte[]> loadedWeights = new ArrayList<>();
  private double weight = 1;
  private double momentum;

  @Override
  public void accumulate(StepPhase phase, Batch batch, StepParams step) {
    if (phase == StepPhase.DISCRIMINATORS && accumulated.isEmpty()) {
      beforeStep.run();
      params.add(step);
    }
    pieces.add(phase + " " + String.join("+", batch.utteranceNames()));
    if (unreadableSteps.contains(step.step())) {
      throw new NonFiniteLossException("the samples of item 0 hold NaN at step " + step.step() + ".");
    }
    if (batch.size() > fitting) {
      throw new EngineOutOfMemoryException("CUDA out of memory.");
    }
    for (int b = 0; b < batch.size(); b++) {
      accumulated.add(batch.storage().samples.get(b * batch.maxSamples()) + (double) batch.storage().utteranceIds.get(b));
    }
  }

  @Override
  public StepMetrics apply(StepPhase phase, StepParams step) {
    applied.add(phase);
    double input = accumulated.stream().mapToDouble(Double::doubleValue).sum() / step.totals().items();
    accumulated.clear();
    float[] six = new float[6];
    boolean broken = nonFiniteSteps.contains(step.step());
    if (phase == StepPhase.DISCRIMINATORS || broken) {
      float loss = broken ? Float.NaN : 0;
      return new StepMetrics(step.step(), 0, 0, 0, loss, 0, 0, 0, 0, 0, six, six, six, 1, 0, 0, 0, 10, 5, 1, broken, false,
          false);
    }
    momentum = 0.9 * momentum + Math.sin(weight * input + step.step());
    weight -= step.generatorLearningRate() * momentum + step.discriminatorLearningRate() * 0.5;
    double loss = weight * weight + momentum;
    losses.add(loss);
    return new StepMetrics(step.step(), (float) loss, 0, 0, 45, 0, 0, 0, 0, 0, six, six, six, 1, 0, 0, 0, 10, 5, lossScale,
        lossScale > 1, false, false);
  }

  @Override
  public void applyUnread(StepPhase phase, StepParams step) {
    if (phase == StepPhase.GENERATOR && unread.size() == MOST_UNREAD) {
      throw new EngineStateException("the metrics of " + MOST_UNREAD + " steps wait to be read.");
    }
    StepMetrics metrics = apply(phase, step);
    if (phase == StepPhase.GENERATOR) {
      unread.add(metrics);
    }
  }

  @Override
  public List<StepMetrics> readMetrics() {
    List<StepMetrics> metrics = List.copyOf(unread);
    unread.clear();
    reads.add(metrics.size());
    return metrics;
  }

  @Override
  public void prefetch(Batch next) {
    prefetched.add(applied.size() + " " + String.join("+", next.utteranceNames()));
  }

  @Override
  public void discard() {
    discards++;
    accumulated.clear();
  }

  @Override
  public Evaluation evaluate(Batch batch) {
    beforeEvaluate.run();
    evaluations++;
    return new Evaluation(melL1.applyAsDouble(evaluations), 4, 6, 2, 5, 10);
  }

  @Override
  public Inspection inspect(Batch batch) {
    Spectrogram mel = new Spectrogram(2, 3, new float[6]);
    return new Inspection(mel, mel, 2, new byte[] {1, 1, 0, 0, 0, 1}, new float[12]);
  }

  @Override
  public ModelDescription describe() {
    return new ModelDescription(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "fake");
  }

  @Override
  public StepProfile profile() {
    throw new UnsupportedOperationException("nothing here has parts to profile");
  }

  @Override
  public Snapshot snapshot() {
    refuseUnread("a checkpoint would not know how the steps before it went");
    byte[] bytes = ByteBuffer.allocate(16).putDouble(weight).putDouble(momentum).array();
    boolean broken = brokenWeight;
    boolean full = diskFull;
    return new Snapshot() {
      @Override
      public void write(Path directory) {
        beforeWrite.run();
        if (broken) {
          throw new NonFiniteLossException(FILE + ": weight holds NaN or infinity");
        }
        if (full) {
          throw new EngineIoException(directory.resolve(FILE) + ": No space left on device.");
        }
        try {
          Files.write(directory.resolve(FILE), bytes);
        } catch (IOException e) {
          throw new EngineIoException(e.getMessage());
        }
      }

      @Override
      public void close() {}
    };
  }

  /** The core takes it; the loop must not do it. */
  private void refuseUnread(String consequence) {
    if (!unread.isEmpty()) {
      throw new AssertionError("the metrics of " + unread.size() + " steps are not read: " + consequence);
    }
  }

  @Override
  public void load(Path directory) {
    refuseUnread("they would be told after other weights were loaded");
    try {
      brokenWeight = false;
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(directory.resolve(FILE)));
      weight = bytes.getDouble();
      momentum = bytes.getDouble();
    } catch (IOException e) {
      throw new EngineIoException(e.getMessage());
    }
  }

  @Override
  public void loadWeights(Path directory) {
    try {
      byte[] bytes = Files.readAllBytes(directory.resolve(FILE));
      loadedWeights.add(bytes);
      weight = bytes.length;
    } catch (IOException e) {
      throw new EngineIoException(e.getMessage());
    }
  }

  @Override
  public Voice voice() {
    return new Voice() {
      @Override
      public float[] synthesize(Utterance utterance) {
        return new float[utterance.tokenIds().length * 4];
      }

      @Override
      public float[] convert(Conversion conversion) {
        return conversion.samples();
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void close() {}
}
