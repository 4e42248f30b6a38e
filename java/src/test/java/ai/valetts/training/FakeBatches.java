package ai.valetts.training;

import ai.valetts.engine.Batch;
import java.util.List;

/** Five batches an epoch, each told apart by its content; the same place always gives the same batch. */
final class FakeBatches implements BatchSource, HeldOut {
  static final int PER_EPOCH = 5;

  private int epoch;
  private int place;

  FakeBatches(int epoch, int place) {
    this.epoch = epoch;
    this.place = place;
  }

  @Override
  public Batch next() {
    Batch batch = batch(epoch * 31 + place);
    place++;
    if (place == PER_EPOCH) {
      place = 0;
      epoch++;
    }
    return batch;
  }

  @Override
  public int epoch() {
    return epoch;
  }

  @Override
  public int batchInEpoch() {
    return place;
  }

  @Override
  public int batchesPerEpoch() {
    return PER_EPOCH;
  }

  @Override
  public int batchCount() {
    return 3;
  }

  @Override
  public Batch batch(int index) {
    Batch.Storage storage = new Batch.Storage();
    storage.ensure(1, 2, 8);
    storage.samples.put(0, index / 10f);
    storage.sampleLengths.put(0, 8);
    storage.tokenLengths.put(0, 2);
    storage.utteranceIds.put(0, index);
    return new Batch(storage, 2, 8, List.of("clip" + index), released -> {});
  }

  @Override
  public int clipCount() {
    return 2;
  }

  @Override
  public Batch clip(int index) {
    return batch(index);
  }

  @Override
  public String text(int index) {
    return "text " + index;
  }
}
