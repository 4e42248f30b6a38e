package ai.valetts.app;

import ai.valetts.data.BatchLoader;
import ai.valetts.engine.Batch;
import ai.valetts.training.BatchSource;
import java.util.Optional;

/** The data loader as the training loop sees it. */
record LoadedBatches(BatchLoader loader) implements BatchSource {
  @Override
  public Batch next() {
    return loader.next();
  }

  @Override
  public Optional<Batch> upcoming() {
    return loader.upcoming();
  }

  @Override
  public int epoch() {
    return loader.position().epoch();
  }

  @Override
  public int batchInEpoch() {
    return loader.position().batchInEpoch();
  }

  @Override
  public int batchesPerEpoch() {
    return loader.batchesPerEpoch();
  }
}
