package ai.valetts.training;

import ai.valetts.engine.Batch;

/** Endless batches in an order that depends on the seed alone. Used by the loop's thread only. */
public interface BatchSource {

  /** The next batch; waits for it. The caller closes it. */
  Batch next();

  /** 0-based epoch of the batch that {@link #next()} will return. */
  int epoch();

  /** 0-based place in its epoch of the batch that {@link #next()} will return. */
  int batchInEpoch();

  int batchesPerEpoch();
}
