package ai.valetts.engine;

import java.nio.file.Path;
import java.util.List;

/**
 * Three networks, their optimizers and one device. Owned by the training loop; one thread at a time. After
 * {@link #close()} every call throws {@link IllegalStateException}.
 */
public interface TrainingSession extends AutoCloseable {

  /**
   * Adds the losses and gradients of one micro-batch to those of its phase so far. Each phase may split the batch
   * differently: random draws are keyed by step and utterance. After an exception the phase is half done:
   * {@link #discard()}, then begin it again or leave it out.
   *
   * @throws NonFiniteLossException naming the utterance whose samples are not numbers
   * @throws EngineOutOfMemoryException when the micro-batch is too large for the device
   * @throws EngineStateException out of order: discriminators first, one step at a time
   */
  void accumulate(StepPhase phase, Batch microBatch, StepParams params);

  /**
   * Takes the phase's optimizer steps. A network with a loss or gradient that is not finite stays as it was, which the
   * metrics tell.
   *
   * @return the step so far; its frames and tokens are the params' totals
   * @throws EngineStateException unless the micro-batches so far make up the batch
   */
  StepMetrics apply(StepPhase phase, StepParams params);

  /**
   * As {@link #apply}, but waits for nothing: what comes next can be handed to the device while it is at this phase. The
   * metrics of the whole step, which its generator's phase ends, wait for {@link #readMetrics()}.
   *
   * @throws EngineStateException as {@link #apply}, and when more than a hundred steps wait already; nothing was applied
   */
  void applyUnread(StepPhase phase, StepParams params);

  /**
   * The metrics of the steps that were applied unread, oldest first; waits until the device has taken them. None is told
   * twice, and neither {@link #discard()} nor {@link #load} takes any away.
   */
  List<StepMetrics> readMetrics();

  /**
   * Begins to bring the next step's batch to a GPU while it works; called between the phases. What is wrong with the batch is
   * told when it is accumulated.
   */
  default void prefetch(Batch next) {}

  /** Forgets what the present phase has accumulated and returns cached device memory; what was applied stays. */
  void discard();

  /** Both phases over a batch in one piece. */
  default StepMetrics step(Batch batch, StepParams params) {
    accumulate(StepPhase.DISCRIMINATORS, batch, params);
    applyUnread(StepPhase.DISCRIMINATORS, params);
    accumulate(StepPhase.GENERATOR, batch, params);
    return apply(StepPhase.GENERATOR, params);
  }

  /** Posterior reconstruction and alignment losses of one held-out batch; changes nothing. */
  Evaluation evaluate(Batch batch);

  /** Spectrograms, alignment and decoded audio of the batch's first item; changes nothing. */
  Inspection inspect(Batch batch);

  /** Parameter counts and memory. */
  ModelDescription describe();

  /** A profile of steps of this session, with none in it. The caller closes it. */
  StepProfile profile();

  /** A copy of the present state, which may be written while training goes on. The caller closes it. */
  Snapshot snapshot();

  /** Writes the present state into an existing directory; throws what {@link Snapshot#write} throws. */
  default void save(Path directory) {
    try (Snapshot snapshot = snapshot()) {
      snapshot.write(directory);
    }
  }

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

  /** A voice that shares this session's present weights, or their running mean where one is kept. */
  Voice voice();

  @Override
  void close();
}
