package ai.valetts.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

class NativeHandleTest {
  private final AtomicInteger destroyed = new AtomicInteger();

  private NativeHandle<Pointer> handle() {
    return new NativeHandle<>("Thing 7", new Pointer(), pointer -> destroyed.incrementAndGet());
  }

  @Test
  void destroysOnceHoweverOftenItIsClosed() {
    NativeHandle<Pointer> handle = handle();
    handle.close();
    handle.close();
    assertThat(destroyed).hasValue(1);
  }

  @Test
  void namesTheObjectThatIsUsedAfterClose() {
    NativeHandle<Pointer> handle = handle();
    handle.close();
    assertThatThrownBy(() -> handle.call(pointer -> 0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Thing 7 is used after close()");
  }

  @Test
  void closeWaitsForTheRunningCall() throws InterruptedException {
    NativeHandle<Pointer> handle = handle();
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch finish = new CountDownLatch(1);
    Thread caller =
        new Thread(
            () ->
                handle.call(
                    pointer -> {
                      running.countDown();
                      await(finish);
                      assertThat(destroyed).hasValue(0);
                      return null;
                    }));
    caller.start();
    await(running);
    Thread closer = new Thread(handle::close);
    closer.start();
    closer.join(50);
    assertThat(closer.isAlive()).isTrue();
    assertThat(destroyed).hasValue(0);
    finish.countDown();
    caller.join(TimeUnit.SECONDS.toMillis(10));
    closer.join(TimeUnit.SECONDS.toMillis(10));
    assertThat(destroyed).hasValue(1);
  }

  @Test
  void closingFromManyThreadsDestroysOnce() throws InterruptedException {
    NativeHandle<Pointer> handle = handle();
    Thread[] threads = new Thread[8];
    for (int i = 0; i < threads.length; i++) {
      threads[i] = new Thread(handle::close);
      threads[i].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(destroyed).hasValue(1);
  }

  @Test
  void aFailingCallLeavesTheHandleUsable() {
    try (NativeHandle<Pointer> handle = handle()) {
      assertThatThrownBy(
              () ->
                  handle.call(
                      pointer -> {
                        throw new ArithmeticException("in the call");
                      }))
          .isInstanceOf(ArithmeticException.class);
      int answer = handle.call(pointer -> 42);
      assertThat(answer).isEqualTo(42);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
