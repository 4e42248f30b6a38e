package ai.valetts.training;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The one inbox through which the world reaches a running loop. Requests may come from any thread; the loop reads them
 * between steps and each is journaled with the step that it met.
 */
public final class RunControl {
  private final List<Request> waiting = new ArrayList<>();
  private final Consumer<JournalEntry> journal;

  /** What can be asked of a loop. */
  public enum Kind {
    /** Save a checkpoint and go on. */
    CHECKPOINT,
    /** Save a checkpoint and leave. */
    STOP
  }

  /**
   * A request.
   *
   * @param reason who asked and why, for people
   */
  public record Request(Kind kind, String reason) {}

  /**
   * A request and when it was met.
   *
   * @param step steps completed at that moment
   */
  public record JournalEntry(long step, Request request) {}

  /**
   * @param journal told of each request, on the loop's thread
   */
  public RunControl(Consumer<JournalEntry> journal) {
    this.journal = journal;
  }

  public void requestStop(String reason) {
    add(new Request(Kind.STOP, reason));
  }

  public void requestCheckpoint(String reason) {
    add(new Request(Kind.CHECKPOINT, reason));
  }

  /** Whether a stop waits to be read: long work between steps may be cut short. */
  boolean stopWaiting() {
    synchronized (waiting) {
      return waiting.stream().anyMatch(request -> request.kind() == Kind.STOP);
    }
  }

  /** Takes the requests out, in the order they came. */
  List<Request> takeAt(long step) {
    List<Request> taken;
    synchronized (waiting) {
      taken = List.copyOf(waiting);
      waiting.clear();
    }
    taken.forEach(request -> journal.accept(new JournalEntry(step, request)));
    return taken;
  }

  private void add(Request request) {
    synchronized (waiting) {
      waiting.add(request);
    }
  }
}
