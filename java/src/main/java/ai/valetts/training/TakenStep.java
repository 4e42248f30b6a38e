package ai.valetts.training;

import ai.valetts.checkpoint.TrainState;
import ai.valetts.engine.Batch;
import ai.valetts.engine.StepParams;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A step that was taken, and what is needed of it when its metrics are read. Its batch is not: the buffers are the next
 * batches'.
 *
 * @param epoch 0-based epoch of its batch
 * @param after where the run stood behind it
 * @param waitedSeconds for its batch
 * @param tookSeconds of the loop's time, that wait included
 * @param audioSeconds recordings in its batch
 * @param batch what a person needs to find a recording at fault; its reason is empty
 * @param failure why it has no metrics; empty where it has
 */
record TakenStep(
    StepParams params,
    int epoch,
    TrainState after,
    double waitedSeconds,
    double tookSeconds,
    double audioSeconds,
    SkippedStep batch,
    Optional<String> failure) {

  /** What is to be known of a batch once it is closed. */
  static SkippedStep describe(long step, Batch batch) {
    List<Integer> tokens = new ArrayList<>();
    List<Integer> samples = new ArrayList<>();
    List<Float> peaks = new ArrayList<>();
    for (int i = 0; i < batch.size(); i++) {
      tokens.add(batch.storage().tokenLengths.get(i));
      samples.add(batch.storage().sampleLengths.get(i));
      peaks.add(batch.storage().peaks.get(i));
    }
    return new SkippedStep(step, "", batch.utteranceNames(), tokens, samples, peaks);
  }
}
