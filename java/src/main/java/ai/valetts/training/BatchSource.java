package ai.valetts.training;

import ai.valetts.engine.Batch;
import java.util.Optional;

/** Endless batches in an order that depends on the seed alone. Used by the loop's thread only. */
public interface BatchSource {

  /** The next batch; waits for it. The caller closes it. */
  Batch next();

  /** What {@link #next()} will return, if it is there already; it remains the source's. */
  default Optional<Batch> upcoming() {
    return Optional.empty();
  }

  /** 0-based epoch of the batch that {@link #next()} will return. */
  int epoch();

  /** 0-based place in its epoch of the batch that {@link #next()} will return. */
  int batchInEpoch();

  int batchesPerEpoch();
}
