package ai.valetts.engine.jni;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.bytedeco.javacpp.Pointer;

/**
 * Owns one object of the core. Calls on it are serialised, so that {@link #close()} waits for a running call; it is
 * destroyed exactly once; a call after that throws {@link IllegalStateException} naming the object.
 *
 * <p>An object that nobody closed is destroyed when the garbage collector finds it. That is a net, not a plan: it is
 * counted ({@link #leaked()}) and logged with the place where the object was made.
 *
 * @param <P> the binding's pointer type
 */
final class NativeHandle<P extends Pointer> implements AutoCloseable {
  private static final Logger LOG = System.getLogger(NativeHandle.class.getName());
  private static final AtomicLong OPEN = new AtomicLong();
  private static final AtomicLong LEAKED = new AtomicLong();

  /** Started with the first handle. */
  private static final class Net {
    private static final Cleaner CLEANER = Cleaner.create();
  }

  private final Ownership<P> ownership;
  private final Cleaner.Cleanable cleanable;
  private final ReentrantLock lock = new ReentrantLock();

  /**
   * @param name what the object is, for messages
   * @param pointer the core's object, not null; owned from here on
   * @param destroy the core's function that destroys it
   */
  NativeHandle(String name, P pointer, Consumer<P> destroy) {
    ownership = new Ownership<>(name, pointer, destroy);
    OPEN.incrementAndGet();
    cleanable = Net.CLEANER.register(this, ownership);
  }

  /** Runs one call on the object, alone. */
  <R> R call(Function<P, R> body) {
    lock.lock();
    try {
      if (ownership.closed) {
        throw new IllegalStateException(ownership.name + " is used after close()");
      }
      return body.apply(ownership.pointer);
    } finally {
      lock.unlock();
    }
  }

  /** Destroys the object once the running call is over; a second time does nothing. */
  @Override
  public void close() {
    lock.lock();
    try {
      ownership.closed = true;
      cleanable.clean();
    } finally {
      lock.unlock();
    }
  }

  /** Objects made and not yet destroyed, in this process. */
  static long open() {
    return OPEN.get();
  }

  /** Objects that were destroyed by the garbage collector for want of {@link #close()}. */
  static long leaked() {
    return LEAKED.get();
  }

  /** What the cleaner keeps: it must not reach the handle, or the handle would never be collected. */
  private static final class Ownership<P extends Pointer> implements Runnable {
    private final String name;
    private final P pointer;
    private final Consumer<P> destroy;
    private final Throwable allocation;
    private final AtomicBoolean destroyed = new AtomicBoolean();
    private volatile boolean closed;

    Ownership(String name, P pointer, Consumer<P> destroy) {
      this.name = name;
      this.pointer = pointer;
      this.destroy = destroy;
      this.allocation = new Throwable(name + " was made here");
    }

    @Override
    public void run() {
      if (!destroyed.compareAndSet(false, true)) {
        return;
      }
      destroy.accept(pointer);
      OPEN.decrementAndGet();
      if (!closed) {
        LEAKED.incrementAndGet();
        LOG.log(Level.WARNING, name + " was never closed; the garbage collector did it", allocation);
      }
    }
  }
}
