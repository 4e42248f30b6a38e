package ai.valetts.data;

import ai.valetts.config.AudioConfig;
import ai.valetts.config.DataConfig;
import ai.valetts.engine.Batch;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  private final EpochPlan plan;
  private final int prefetch;
  private final BatchAssembler assembler;
  private final Augmentation augmentation;
  private final ExecutorService threads;
  private final ArrayDeque<Future<Batch>> ahead = new ArrayDeque<>();

  private BatchPosition position;

  /** Position of the batch that is handed to the threads next. */
  private BatchPosition scheduled;

  /** Batches of the epochs of both positions. */
  private final Map<Integer, List<List<Clip>>> epochs = new HashMap<>();

  private volatile boolean closed;

  /**
   * @param clips at least one
   * @param start position a checkpoint kept, or {@link BatchPosition#START}
   * @throws DataException if there is no clip
   */
  public BatchLoader(
      List<Clip> clips, ClipAudio audio, DataConfig data, AudioConfig config, long seed, BatchPosition start) {
    this(clips, audio, data, config, seed, start, Batch.Allocator.DIRECT);
  }

  /** As above, with batches in memory from {@code allocator}. */
  public BatchLoader(
      List<Clip> clips,
      ClipAudio audio,
      DataConfig data,
      AudioConfig config,
      long seed,
      BatchPosition start,
      Batch.Allocator allocator) {
    if (clips.isEmpty()) {
      throw new DataException("there are no clips to make batches of");
    }
    this.plan = new EpochPlan(List.copyOf(clips), data, config.hopLength(), seed);
    this.prefetch = Math.max(1, data.prefetchBatches());
    this.assembler = new BatchAssembler(audio, config.hopLength(), allocator);
    int shortest = clips.stream().mapToInt(Clip::samples).min().orElseThrow();
    this.augmentation =
        data.augmentation() == null ? null : new Augmentation(data.augmentation(), config, seed, shortest);
    // A position of a run with other data may lie beyond the epoch's end.
    boolean inside = start.batchInEpoch() < batches(start.epoch()).size();
    this.position = inside ? start : new BatchPosition(start.epoch() + 1, 0);
    this.scheduled = position;
    this.threads =
        Executors.newFixedThreadPool(
            Math.min(data.threads(), prefetch),
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
      epochs.keySet().removeIf(epoch -> epoch < position.epoch());
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

  /** The batch that {@link #next()} will return, if it is assembled; it is not handed over yet. Waits for nothing. */
  public Optional<Batch> upcoming() {
    Future<Batch> first = ahead.peek();
    if (closed || first == null || !first.isDone()) {
      return Optional.empty();
    }
    try {
      return Optional.ofNullable(first.get());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } catch (ExecutionException e) {
      // next() tells.
      return Optional.empty();
    }
  }

  /** Position of the batch that {@link #next()} will return. */
  public BatchPosition position() {
    return position;
  }

  /** Batches of the epoch that {@link #position()} is in; with a budget of frames, epochs can differ by a few. */
  public int batchesPerEpoch() {
    return batches(position.epoch()).size();
  }

  private List<List<Clip>> batches(int epoch) {
    return epochs.computeIfAbsent(epoch, plan::batches);
  }

  private void schedule() {
    while (ahead.size() < prefetch) {
      List<Clip> next = batches(scheduled.epoch()).get(scheduled.batchInEpoch());
      BatchPosition at = scheduled;
      ahead.add(threads.submit(() -> closed ? null : assemble(next, at)));
      scheduled = after(scheduled);
    }
  }

  private Batch assemble(List<Clip> clips, BatchPosition at) {
    return augmentation == null
        ? assembler.assemble(clips)
        : assembler.assemble(clips, (clip, samples) -> augmentation.apply(clip, samples, at));
  }

  private BatchPosition after(BatchPosition current) {
    return current.batchInEpoch() + 1 < batches(current.epoch()).size()
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
