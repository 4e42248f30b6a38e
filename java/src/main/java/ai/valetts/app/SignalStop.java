package ai.valetts.app;

import ai.valetts.training.RunControl;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Turns Ctrl-C and a termination signal into a request to the loop: save and leave. The Java runtime ends as soon as
 * its shutdown hooks do, so the hook here waits until the program has said its last word, then ends with code 130.
 */
final class SignalStop implements AutoCloseable {
  private static final long PATIENCE_MINUTES = 10;

  private final Consumer<String> notice;
  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook = new Thread(this::stop, "valetts-signal");
  private volatile RunControl control;

  SignalStop(Consumer<String> notice) {
    this.notice = notice;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** From now on there is a loop to stop. */
  void loopStarts(RunControl runControl) {
    control = runControl;
  }

  /** The program has nothing more to say; if a signal came, this is the moment it ends. */
  @Override
  public void close() {
    finished.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The hook is running: it ends the process now.
      awaitEnd();
    }
  }

  private void stop() {
    if (control == null) {
      notice.accept("Interrupted before training began: nothing was lost.");
    } else if (finished.getCount() > 0) {
      notice.accept("Interrupted: saving a checkpoint after this step.");
      control.requestStop("interrupted");
      try {
        if (!finished.await(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
          notice.accept("The step did not end within " + PATIENCE_MINUTES + " minutes: leaving without saving.");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    System.out.flush();
    System.err.flush();
    Runtime.getRuntime().halt(ExitCode.INTERRUPTED.code());
  }

  private static void awaitEnd() {
    try {
      TimeUnit.MINUTES.sleep(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
