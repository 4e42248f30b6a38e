package ai.valetts.training;

import ai.valetts.engine.Batch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Five batches an epoch, each told apart by its content; the same place always gives the same batch. */
final class FakeBatches implements BatchSource, HeldOut {
  static final int PER_EPOCH = 5;

  private final int size;
  private int epoch;
  private int place;

  FakeBatches(int epoch, int place) {
    this(epoch, place, 1);
  }

  FakeBatches(int epoch, int place, int size) {
    this.size = size;
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
  public Optional<Batch> upcoming() {
    return Optional.of(batch(epoch * 31 + place));
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
    storage.ensure(size, 2, 8);
    List<String> names = new ArrayList<>();
    for (int b = 0; b < size; b++) {
      storage.samples.put(b * 8, index / 10f + b);
      storage.sampleLengths.put(b, 8);
      storage.peaks.put(b, index / 10f + b);
      storage.tokenLengths.put(b, 2);
      storage.utteranceIds.put(b, index);
      names.add(b == 0 ? "clip" + index : "clip" + index + "." + b);
    }
    return new Batch(storage, 2, 8, names, released -> {});
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
