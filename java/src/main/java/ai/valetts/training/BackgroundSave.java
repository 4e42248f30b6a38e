package ai.valetts.training;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.engine.Snapshot;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Writes checkpoints on a thread of its own while training goes on, one at a time. Everything here is called by the loop's
 * thread.
 */
final class BackgroundSave implements AutoCloseable {
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread writer = new Thread(task, "valetts-checkpoint");
            writer.setDaemon(true);
            return writer;
          });
  private CompletableFuture<Written> running;

  /**
   * A checkpoint that was written.
   *
   * @param seconds wall time it took
   */
  record Written(Checkpoint checkpoint, double seconds) {}

  /** Whether a checkpoint is being written, or was and nobody has asked for its end. */
  boolean busy() {
    return running != null;
  }

  /**
   * Begins to write.
   *
   * @param snapshot closed when it is written, or not
   */
  void start(Snapshot snapshot, Function<Snapshot, Checkpoint> write) {
    if (busy()) {
      throw new IllegalStateException("a checkpoint is being written");
    }
    running =
        CompletableFuture.supplyAsync(
            () -> {
              long start = System.nanoTime();
              try (snapshot) {
                return new Written(write.apply(snapshot), (System.nanoTime() - start) / 1e9);
              }
            },
            thread);
  }

  /**
   * The checkpoint that has been written since the last call, if any.
   *
   * @param wait whether to wait for one that is being written
   * @throws RuntimeException what the writing failed with
   */
  Optional<Written> take(boolean wait) {
    if (running == null || !wait && !running.isDone()) {
      return Optional.empty();
    }
    try {
      return Optional.of(running.join());
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw e;
    } finally {
      running = null;
    }
  }

  /** Lets a checkpoint that is being written end. */
  @Override
  public void close() {
    thread.shutdown();
    try {
      thread.awaitTermination(1, TimeUnit.HOURS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
