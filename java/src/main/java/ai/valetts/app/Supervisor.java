package ai.valetts.app;

import ai.valetts.checkpoint.CheckpointStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Watches over a process that trains, and starts it again after it lost the GPU (75) or was killed by a crash of the native
 * core or for want of memory. The count of restarts begins anew whenever the run has saved since. One use; signals to end
 * are passed on while {@link #run} is under way.
 */
public final class Supervisor {
  /** Lost GPU; abort, bus error, arithmetic error, kill, segmentation fault. */
  private static final Set<Integer> RESTARTED = Set.of(ExitCode.DEVICE_LOST.code(), 134, 135, 136, 137, 139);

  private static final int MAX_DOUBLINGS = 6;
  private static final long PATIENCE_MINUTES = 11;

  private final int maxRestarts;
  private final Path checkpoints;
  private final Duration firstPause;
  private final Consumer<String> notice;
  private final Object turn = new Object();
  private Process child;
  private boolean stopping;

  /** How the process is started. */
  public interface Launcher {
    /**
     * @param restart 0 the first time
     */
    Process start(int restart) throws IOException;
  }

  /**
   * @param maxRestarts in a row without a new checkpoint
   * @param run folder of the run that the process trains
   * @param notice told what happens
   */
  public Supervisor(int maxRestarts, Path run, Consumer<String> notice) {
    this(maxRestarts, run, Duration.ofSeconds(1), notice);
  }

  /**
   * @param firstPause before the first restart; doubles with each further one, up to 64 times
   */
  Supervisor(int maxRestarts, Path run, Duration firstPause, Consumer<String> notice) {
    this.maxRestarts = maxRestarts;
    this.checkpoints = new RunDirectory(run).checkpoints();
    this.firstPause = firstPause;
    this.notice = notice;
  }

  /** What the child is told of the session that this process began; a value from outside comes first. */
  public static void tellSession(Map<String, String> environment) {
    environment.putIfAbsent(Session.START, String.valueOf(System.currentTimeMillis() / 1000));
  }

  /** Returns the last status of the process: its exit code, or 128 and the number of the signal that ended it. */
  public int run(Launcher launcher) {
    Thread hook = new Thread(this::passOn, "valetts-supervisor");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return watch(launcher);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ExitCode.INTERRUPTED.code();
    } finally {
      removeUnlessEnding(hook);
    }
  }

  private int watch(Launcher launcher) throws IOException, InterruptedException {
    int inARow = 0;
    int total = 0;
    while (true) {
      String savedBefore = newestSaved();
      int status = start(launcher, total).waitFor();
      synchronized (turn) {
        if (stopping || !RESTARTED.contains(status)) {
          return status;
        }
      }
      inARow = newestSaved().equals(savedBefore) ? inARow + 1 : 1;
      if (inARow > maxRestarts) {
        notice.accept("The training process " + ended(status) + " for the " + inARow
            + ". time in a row without a new checkpoint in between: it is not started again.");
        return status;
      }
      Duration pause = firstPause.multipliedBy(1L << Math.min(MAX_DOUBLINGS, inARow - 1));
      notice.accept("The training process " + ended(status) + ". It is started again from the last checkpoint in "
          + Math.max(1, pause.toSeconds()) + " s (" + inARow + " of " + maxRestarts + ").");
      TimeUnit.MILLISECONDS.sleep(pause.toMillis());
      total++;
    }
  }

  private Process start(Launcher launcher, int restart) throws IOException {
    synchronized (turn) {
      child = launcher.start(restart);
      return child;
    }
  }

  private static String ended(int status) {
    return status == ExitCode.DEVICE_LOST.code()
        ? "has lost the GPU (exit code 75)"
        : "was killed by signal " + (status - 128) + (status == 137 ? ", perhaps for want of memory" : "");
  }

  /** Another name or another time of writing means that the run has saved. */
  private String newestSaved() {
    return CheckpointStore.newestPublished(checkpoints)
        .map(newest -> {
          try {
            return newest.getFileName() + " " + Files.getLastModifiedTime(newest);
          } catch (IOException e) {
            return newest.getFileName().toString();
          }
        })
        .orElse("");
  }

  /** This process is to end: the child saves and leaves first, and its status is this process's. */
  private void passOn() {
    Process last;
    synchronized (turn) {
      stopping = true;
      last = child;
    }
    int status = ExitCode.INTERRUPTED.code();
    if (last != null && last.isAlive()) {
      last.destroy();
      try {
        if (last.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
          status = last.exitValue();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    Runtime.getRuntime().halt(status);
  }

  private static void removeUnlessEnding(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // This process ends already; the hook gives it the child's status.
      try {
        hook.join();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
