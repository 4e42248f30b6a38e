package ai.valetts.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The one inbox through which the world reaches a running loop. Requests may come from any thread; the loop reads them
 * between steps and each is journaled with the step that it met.
 */
public final class RunControl {
  /** Settings that a loop can change between two steps. */
  public static final Set<String> CHANGEABLE_KEYS = StepSettings.CHANGEABLE_KEYS;

  private final List<Request> waiting = new ArrayList<>();
  private final Consumer<JournalEntry> journal;

  /** What can be asked of a loop. */
  public enum Kind {
    /** Save a checkpoint and go on. */
    CHECKPOINT,
    /** Save a checkpoint and leave. */
    STOP,
    /** Go on with another value of a setting. */
    CHANGE
  }

  /**
   * A request.
   *
   * @param reason who asked and why, for people
   * @param key of the setting to change, null for other requests
   * @param value of the setting, null for other requests
   */
  public record Request(Kind kind, String reason, String key, Double value) {
    Request(Kind kind, String reason) {
      this(kind, reason, null, null);
    }
  }

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

  /**
   * Asks for another value of a setting, from the next step on.
   *
   * @param key one of {@link #CHANGEABLE_KEYS}
   * @throws IllegalArgumentException if the loop cannot change it so
   */
  public void requestChange(String key, double value, String reason) {
    if (!CHANGEABLE_KEYS.contains(key) || !(value > 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(key + " cannot be changed to " + value + " while the run goes on");
    }
    add(new Request(Kind.CHANGE, reason, key, value));
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
