package ai.valetts.storage;

import ai.valetts.storage.StorageException.Kind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Puts a limit on how long a store may take. A call that exceeds it is left behind on its own thread, since one that is
 * stuck in a dead mount cannot be ended; a few such threads are borne, then the store counts as dead until one returns.
 */
public final class TimedStore implements BlobStore {
  private static final int MOST_STUCK = 4;
  private static final long SLOWEST_BYTES_PER_SECOND = 128 << 10;

  private final BlobStore store;
  private final Duration limit;
  private final AtomicInteger stuck;

  /**
   * @param limit for a call that moves nothing; a transfer has longer, down to 128 KiB in a second
   * @param stuck counts the calls left behind, over all stores at the same place
   */
  public TimedStore(BlobStore store, Duration limit, AtomicInteger stuck) {
    this.store = store;
    this.limit = limit;
    this.stuck = stuck;
  }

  @Override
  public String location() {
    return store.location();
  }

  @Override
  public List<Blob> list() {
    return within(0, store::list);
  }

  @Override
  public List<String> folders() {
    return within(0, store::folders);
  }

  @Override
  public void put(String name, Path source, FileDigest expected, Transfer transfer) {
    within(2 * expected.bytes(), () -> {
      store.put(name, source, expected, transfer);
      return null;
    });
  }

  @Override
  public void verify(String name, FileDigest expected) {
    within(expected.bytes(), () -> {
      store.verify(name, expected);
      return null;
    });
  }

  @Override
  public byte[] read(String name, int maxBytes) {
    return within(maxBytes, () -> store.read(name, maxBytes));
  }

  @Override
  public FileDigest get(String name, Path target, Transfer transfer) {
    // Ended from inside, piece by piece: how long it may take depends on how much comes.
    long start = System.nanoTime();
    long[] moved = {0};
    return store.get(name, target, bytes -> {
      moved[0] += bytes;
      Duration most = limit.plusSeconds(moved[0] / SLOWEST_BYTES_PER_SECOND);
      if (System.nanoTime() - start > most.toNanos()) {
        throw new StorageException(Kind.UNAVAILABLE, location() + " is too slow: " + moved[0] + " bytes of " + name
            + " in " + most.toSeconds() + " seconds.");
      }
      transfer.moved(bytes);
    });
  }

  @Override
  public void delete(String name) {
    within(0, () -> {
      store.delete(name);
      return null;
    });
  }

  @Override
  public Space space() {
    return within(0, store::space);
  }

  @Override
  public void close() {
    if (stuck.get() == 0) {
      store.close();
    }
  }

  private <T> T within(long bytes, Supplier<T> call) {
    if (stuck.get() >= MOST_STUCK) {
      throw new StorageException(Kind.UNAVAILABLE, location() + " does not answer: " + stuck.get()
          + " calls to it hang. If it is a mounted drive, mount it anew.");
    }
    FutureTask<T> task = new FutureTask<>(call::get);
    Thread thread = new Thread(() -> {
      task.run();
      if (task.isCancelled()) {
        stuck.decrementAndGet();
      }
    }, "valetts-storage-call");
    thread.setDaemon(true);
    thread.start();
    Duration most = limit.plusSeconds(bytes / SLOWEST_BYTES_PER_SECOND);
    try {
      return task.get(most.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      leave(task);
      throw new StorageException(
          Kind.UNAVAILABLE, location() + " did not answer within " + most.toSeconds() + " seconds.", e);
    } catch (InterruptedException e) {
      leave(task);
      Thread.currentThread().interrupt();
      throw new StorageException(Kind.UNAVAILABLE, "The wait for " + location() + " was ended.", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new StorageException(Kind.UNAVAILABLE, location() + " failed: " + e.getCause() + ".", e.getCause());
    }
  }

  private void leave(FutureTask<?> task) {
    // Counted before it is cancelled, so that its thread cannot count down first.
    stuck.incrementAndGet();
    if (!task.cancel(true)) {
      stuck.decrementAndGet();
    }
  }
}
