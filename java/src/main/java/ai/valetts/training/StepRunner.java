package ai.valetts.training;

import ai.valetts.engine.Batch;
import ai.valetts.engine.EngineOutOfMemoryException;
import ai.valetts.engine.NonFiniteLossException;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.StepPhase;
import ai.valetts.engine.TrainingSession;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * Takes steps over batches in micro-batches. The discriminators' phase goes over all of them and steps, then the
 * generator's. When memory runs out, the phase is begun again in halves, and later steps begin with them: what was applied
 * is not applied twice. The batch stays what it was, and with it what is learnt. The loop's thread only.
 */
final class StepRunner {
  private final TrainingSession session;
  private final int hopLength;
  private final boolean divisible;
  private final Consumer<String> warning;
  private final IntConsumer remember;
  // One is enough: the core has read a micro-batch when its call returns.
  private final Batch.Storage copy = new Batch.Storage();
  private int limit;

  /**
   * @param limit most utterances in a micro-batch
   * @param divisible whether a batch may be split at all: losses that count a batch's padding forbid it
   * @param warning told in words when memory ran out
   * @param remember told the new limit then
   */
  StepRunner(
      TrainingSession session, int hopLength, int limit, boolean divisible, Consumer<String> warning, IntConsumer remember) {
    this.session = session;
    this.hopLength = hopLength;
    this.divisible = divisible;
    this.warning = warning;
    this.remember = remember;
    this.limit = Math.max(1, limit);
  }

  /** Most utterances in a micro-batch now. */
  int limit() {
    return limit;
  }

  /**
   * Takes a step, whose metrics are then to be read.
   *
   * @param params but for the totals, which are the batch's
   * @param upcoming brought to the device meanwhile, if it is there
   * @throws NonFiniteLossException naming an utterance whose samples are not numbers; nothing was applied
   * @throws EngineOutOfMemoryException when even one utterance is too much; the phases before it are applied
   */
  void step(Batch batch, StepParams params, Supplier<Optional<Batch>> upcoming) {
    StepParams whole = params.over(batch.totals(hopLength));
    phase(StepPhase.DISCRIMINATORS, batch, whole);
    upcoming.get().filter(next -> next.size() <= limit).ifPresent(session::prefetch);
    phase(StepPhase.GENERATOR, batch, whole);
  }

  private void phase(StepPhase phase, Batch batch, StepParams params) {
    while (true) {
      try {
        int count = divisible ? (batch.size() + limit - 1) / limit : 1;
        for (int i = 0; i < count; i++) {
          // Sizes differ by one at most.
          int first = (int) ((long) batch.size() * i / count);
          int next = (int) ((long) batch.size() * (i + 1) / count);
          session.accumulate(phase, count == 1 ? batch : batch.part(first, next - first, copy), params);
        }
        session.applyUnread(phase, params);
        return;
      } catch (EngineOutOfMemoryException e) {
        session.discard();
        int largest = Math.min(limit, batch.size());
        if (largest == 1 || !divisible) {
          throw new EngineOutOfMemoryException(e.getMessage() + " " + advice(batch));
        }
        limit = (largest + 1) / 2;
        remember.accept(limit);
        warning.accept("Memory ran out in step " + params.step() + " with " + largest + " utterances at once; "
            + "from now on a batch goes through in parts of at most " + limit + ", which gives the same result more"
            + " slowly. " + e.getMessage());
      } catch (NonFiniteLossException e) {
        session.discard();
        throw e;
      }
    }
  }

  private String advice(Batch batch) {
    if (!divisible) {
      return "training.referencePadding counts the padding of a whole batch, which therefore cannot be split: choose a"
          + " smaller data.batchSize or leave that key out.";
    }
    return "One utterance alone does not fit: " + batch.utteranceNames() + ", padded to " + batch.maxSamples()
        + " samples. Lower data.maxSeconds or training.segmentSamples, choose fp16 or bf16 as training.precision, or a"
        + " smaller model.";
  }
}
