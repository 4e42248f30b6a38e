package ai.valetts.data;

/**
 * A place in the endless sequence of batches; a checkpoint keeps it.
 *
 * @param epoch passes over the data completed before this batch
 * @param batchInEpoch batches of this epoch before this one
 */
public record BatchPosition(int epoch, int batchInEpoch) {
  /** The first batch of a new run. */
  public static final BatchPosition START = new BatchPosition(0, 0);

  public BatchPosition {
    if (epoch < 0 || batchInEpoch < 0) {
      throw new IllegalArgumentException("a batch position cannot be negative: " + epoch + ", " + batchInEpoch);
    }
  }
}
