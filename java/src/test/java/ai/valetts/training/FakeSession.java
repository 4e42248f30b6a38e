package ai.valetts.training;

import ai.valetts.engine.Batch;
import ai.valetts.engine.EngineIoException;
import ai.valetts.engine.Evaluation;
import ai.valetts.engine.Inspection;
import ai.valetts.engine.ModelDescription;
import ai.valetts.engine.NonFiniteLossException;
import ai.valetts.engine.Conversion;
import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.StepMetrics;
import ai.valetts.engine.StepParams;
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

/**
 * A session with one real weight and one momentum: every step mixes batch, step number and learning rate into them, so
 * any difference in order, state or schedule shows in all later losses.
 */
public final class FakeSession implements TrainingSession {
  public static final String FILE = "generator.safetensors";

  public final List<Double> losses = new ArrayList<>();
  public final List<StepParams> params = new ArrayList<>();
  public final Set<Long> nonFiniteSteps = new HashSet<>();
  public Runnable beforeStep = () -> {};
  public Runnable beforeEvaluate = () -> {};
  public int evaluations;
  public boolean diskFull;
  /** Generator files given as initial weights; their length becomes the weight. */
  public final List<byte[]> loadedWeights = new ArrayList<>();
  private double weight = 1;
  private double momentum;

  @Override
  public StepMetrics step(Batch batch, StepParams step) {
    beforeStep.run();
    params.add(step);
    if (nonFiniteSteps.contains(step.step())) {
      throw new NonFiniteLossException("loss_mel is nan at step " + step.step() + ".");
    }
    double input = batch.storage().samples.get(0) + batch.storage().utteranceIds.get(0);
    momentum = 0.9 * momentum + Math.sin(weight * input + step.step());
    weight -= step.generatorLearningRate() * momentum + step.discriminatorLearningRate() * 0.5;
    double loss = weight * weight + momentum;
    losses.add(loss);
    float[] six = new float[6];
    return new StepMetrics((float) loss, 0, 0, 45, 0, 0, 0, 0, 0, six, six, six, 1, 0, 0, 0, 10, 5, 1, false, false, false);
  }

  @Override
  public Evaluation evaluate(Batch batch) {
    beforeEvaluate.run();
    evaluations++;
    return new Evaluation(2, 4, 6, 2, 5, 10);
  }

  @Override
  public Inspection inspect(Batch batch) {
    Spectrogram mel = new Spectrogram(2, 3, new float[6]);
    return new Inspection(mel, mel, 2, new byte[] {1, 1, 0, 0, 0, 1}, new float[12]);
  }

  @Override
  public ModelDescription describe() {
    return new ModelDescription(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "fake");
  }

  @Override
  public void save(Path directory) {
    if (diskFull) {
      throw new EngineIoException(directory.resolve(FILE) + ": No space left on device.");
    }
    try {
      Files.write(directory.resolve(FILE), ByteBuffer.allocate(16).putDouble(weight).putDouble(momentum).array());
    } catch (IOException e) {
      throw new EngineIoException(e.getMessage());
    }
  }

  @Override
  public void load(Path directory) {
    try {
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
