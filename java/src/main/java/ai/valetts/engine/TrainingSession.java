package ai.valetts.engine;

import java.nio.file.Path;

/**
 * Three networks, their optimizers and one device. Owned by the training loop; one thread at a time. After
 * {@link #close()} every call throws {@link IllegalStateException}.
 */
public interface TrainingSession extends AutoCloseable {

  /**
   * One whole training step: discriminators first, then the generator (VITS2, section 2).
   *
   * @throws NonFiniteLossException naming the loss; the network concerned is left as it was
   */
  StepMetrics step(Batch batch, StepParams params);

  /** Posterior reconstruction and alignment losses of one held-out batch; changes nothing. */
  Evaluation evaluate(Batch batch);

  /** Spectrograms, alignment and decoded audio of the batch's first item; changes nothing. */
  Inspection inspect(Batch batch);

  /** Parameter counts and memory. */
  ModelDescription describe();

  /**
   * Writes weights and optimizer states as safetensors files into an existing directory.
   *
   * @throws EngineIoException naming the file, e.g. when the disk is full
   */
  void save(Path directory);

  /**
   * Reads what {@link #save} wrote.
   *
   * @throws EngineIoException naming the file; the session keeps its weights
   */
  void load(Path directory);

  /**
   * Takes weights alone: {@code generator.safetensors}, and each discriminator whose file is there. Optimizers stay as
   * they are; meant for a session that has not stepped yet.
   *
   * @throws EngineIoException naming the file or tensor; the session keeps its weights
   */
  void loadWeights(Path directory);

  /** A voice that shares this session's present weights. */
  Voice voice();

  @Override
  void close();
}
