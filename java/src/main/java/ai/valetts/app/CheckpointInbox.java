package ai.valetts.app;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.event.RunListener;
import ai.valetts.event.StepCompleted;
import ai.valetts.training.RunControl;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The file {@code inbox/checkpoint} of a run: whoever makes it asks the loop to save. */
final class CheckpointInbox {
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long POLL_MILLIS = 100;

  private final RunDirectory run;
  private final Path file;

  CheckpointInbox(RunDirectory run) {
    this.run = run;
    this.file = run.inbox().resolve("checkpoint");
  }

  /** Hands the wish on to the loop, at most once a second. */
  RunListener listener(RunControl control) {
    return new RunListener() {
      @Override
      public String name() {
        return "Looking for requests in the inbox";
      }

      private long looked = System.nanoTime() - LOOK_NANOS;

      @Override
      public void on(ai.valetts.event.RunEvent event) {
        if (!(event instanceof StepCompleted) || System.nanoTime() - looked < LOOK_NANOS) {
          return;
        }
        looked = System.nanoTime();
        if (Files.exists(file)) {
          control.requestCheckpoint("asked for by " + file.getFileName() + " in the inbox");
          try {
            Files.deleteIfExists(file);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      }
    };
  }

  /** At which steps the loop met a wish for a checkpoint, in order. */
  private List<Long> requests() throws IOException {
    if (!Files.exists(run.control())) {
      return List.of();
    }
    List<Long> steps = new ArrayList<>();
    for (String line : Files.readAllLines(run.control())) {
      if (line.contains("\"CHECKPOINT\"")) {
        steps.add(RunDirectory.parseJson(line).map(entry -> ((Number) entry.get("step")).longValue()).orElse(0L));
      }
    }
    return steps;
  }

  /**
   * Asks, and waits for the checkpoint.
   *
   * @throws RequestException if there is no run
   * @throws CheckpointException if nothing trains the run, it ends without a checkpoint, or does not answer in time
   */
  CheckpointResult ask(Duration patience) {
    if (!Files.isDirectory(run.root())) {
      throw new RequestException("There is no run " + run.root() + ".");
    }
    Optional<Path> before = CheckpointStore.newestPublished(run.checkpoints());
    if (!run.isBeingTrained()) {
      throw new CheckpointException("Nothing trains " + run.root() + " now, so there is nothing to save; "
          + before.map(newest -> "its newest checkpoint is " + newest).orElse("it has no checkpoint") + ".");
    }
    try {
      int requestsBefore = requests().size();
      Files.createDirectories(run.inbox());
      if (!Files.exists(file)) {
        Files.createFile(file);
      }
      long deadline = System.nanoTime() + patience.toNanos();
      while (System.nanoTime() < deadline) {
        // Asked first: a run that ends saves before it lets go.
        boolean training = run.isBeingTrained();
        List<Long> requests = requests();
        // One that was being written already is older than the wish.
        long atLeast = requests.size() > requestsBefore ? requests.get(requestsBefore) : Long.MAX_VALUE;
        Optional<Path> newest = CheckpointStore.newestPublished(run.checkpoints());
        if (newest.isPresent() && !newest.equals(before)) {
          Checkpoint checkpoint = CheckpointStore.open(newest.get());
          if (checkpoint.state().step() >= atLeast || !training) {
            return new CheckpointResult(checkpoint.directory(), checkpoint.state().step(), checkpoint.bytes());
          }
        }
        if (!training) {
          throw new CheckpointException("The run " + run.root() + " has ended without another checkpoint.");
        }
        TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new CheckpointException("The run " + run.root() + " has not saved within " + patience.toSeconds()
        + " s: it prepares recordings, validates, or takes long steps. The wish stays in its inbox.");
  }
}
