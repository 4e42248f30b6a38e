package ai.valetts.data;

import ai.valetts.config.AudioConfig;
import ai.valetts.config.DataConfig;
import ai.valetts.engine.Batch;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The endless sequence of training batches, assembled by background threads ahead of the step. The sequence depends on
 * the clips, the configuration, the seed and the position alone, never on timing.
 *
 * <p>Used by one thread. Batches belong to the caller, who closes each so that its buffers are reused; they stay valid
 * after the loader is closed.
 */
public final class BatchLoader implements AutoCloseable {
  private final List<Clip> clips;
  private final List<Integer> bucketFrames;
  private final int hopLength;
  private final int batchSize;
  private final long seed;
  private final int prefetch;
  private final int batchesPerEpoch;
  private final BatchAssembler assembler;
  private final ExecutorService threads;
  private final ArrayDeque<Future<Batch>> ahead = new ArrayDeque<>();

  private BatchPosition position;

  /** Position of the batch that is handed to the threads next. */
  private BatchPosition scheduled;

  private List<List<Clip>> plan;
  private int planEpoch = -1;
  private volatile boolean closed;

  /**
   * @param clips at least one
   * @param start position a checkpoint kept, or {@link BatchPosition#START}
   * @throws DataException if there is no clip
   */
  public BatchLoader(
      List<Clip> clips, ClipAudio audio, DataConfig data, AudioConfig config, long seed, BatchPosition start) {
    if (clips.isEmpty()) {
      throw new DataException("there are no clips to make batches of");
    }
    this.clips = List.copyOf(clips);
    this.bucketFrames = data.bucketFrames() == null ? List.of() : List.copyOf(data.bucketFrames());
    this.hopLength = config.hopLength();
    this.batchSize = data.batchSize();
    this.seed = seed;
    this.prefetch = Math.max(1, data.prefetchBatches());
    this.batchesPerEpoch = EpochPlan.batchCount(clips.size(), batchSize);
    this.assembler = new BatchAssembler(audio, hopLength);
    // A position of a run with other data may lie beyond the epoch's end.
    this.position = start.batchInEpoch() < batchesPerEpoch ? start : new BatchPosition(start.epoch() + 1, 0);
    this.scheduled = position;
    this.threads =
        Executors.newFixedThreadPool(
            Math.min(2, prefetch),
            task -> {
              Thread thread = new Thread(task, "valetts-batch");
              thread.setDaemon(true);
              return thread;
            });
    schedule();
  }

  /**
   * The next batch; waits until it is assembled.
   *
   * @throws DataException if a recording cannot be read any more, or the wait is interrupted
   * @throws IllegalStateException after {@link #close()}
   */
  public Batch next() {
    if (closed) {
      throw new IllegalStateException("BatchLoader is used after close()");
    }
    schedule();
    try {
      Batch batch = ahead.element().get();
      ahead.remove();
      position = after(position);
      schedule();
      return batch;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DataException("interrupted while waiting for a batch", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Position of the batch that {@link #next()} will return. */
  public BatchPosition position() {
    return position;
  }

  public int batchesPerEpoch() {
    return batchesPerEpoch;
  }

  private void schedule() {
    while (ahead.size() < prefetch) {
      if (planEpoch != scheduled.epoch()) {
        plan = EpochPlan.plan(clips, bucketFrames, hopLength, batchSize, seed, scheduled.epoch());
        planEpoch = scheduled.epoch();
      }
      List<Clip> next = plan.get(scheduled.batchInEpoch());
      ahead.add(threads.submit(() -> closed ? null : assembler.assemble(next)));
      scheduled = after(scheduled);
    }
  }

  private BatchPosition after(BatchPosition current) {
    return current.batchInEpoch() + 1 < batchesPerEpoch
        ? new BatchPosition(current.epoch(), current.batchInEpoch() + 1)
        : new BatchPosition(current.epoch() + 1, 0);
  }

  /** Stops the threads; a batch being assembled is finished and dropped. Closing twice is fine. */
  @Override
  public void close() {
    closed = true;
    threads.shutdown();
    ahead.clear();
  }
}
