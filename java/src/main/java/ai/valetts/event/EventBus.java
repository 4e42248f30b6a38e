package ai.valetts.event;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Carries events from the training loop to the listeners on a thread of its own, so that a slow disk or terminal never
 * slows a step. {@link #publish} never blocks: when more than {@code capacity} events wait, a {@link StepCompleted} is
 * dropped and counted; every other event is kept, since they are few and must not be lost.
 *
 * <p>A listener that fails becomes a {@link Notice}, so that the others show it and write it down: once for each reason.
 *
 * <p>Owned by whoever wires the run, who closes it after the loop; {@link #close()} delivers what still waits.
 */
public final class EventBus implements AutoCloseable {
  private static final Duration DRAIN_LIMIT = Duration.ofSeconds(30);

  private final BlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
  private final List<RunListener> listeners;
  private final int capacity;
  private final Consumer<String> problems;
  private final UnaryOperator<RunEvent> completion;
  private final Function<Throwable, String> reason;
  private final AtomicLong dropped = new AtomicLong();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Set<String> reported = new HashSet<>();
  private final List<Failure> failures = new ArrayList<>();
  private final Thread thread;
  private volatile boolean running = true;

  /**
   * @param listeners told in this order
   * @param capacity waiting events above which steps are dropped
   * @param problems receives in one sentence what listeners can no longer be told, or fail to take in
   */
  public EventBus(List<RunListener> listeners, int capacity, Consumer<String> problems) {
    this(listeners, capacity, problems, event -> event, String::valueOf);
  }

  /**
   * @param completion adds to an event what is measured outside of the loop, on the bus's thread, before anyone is told
   * @param reason says to a person why a listener failed, and what to do about it
   */
  public EventBus(
      List<RunListener> listeners,
      int capacity,
      Consumer<String> problems,
      UnaryOperator<RunEvent> completion,
      Function<Throwable, String> reason) {
    this.listeners = List.copyOf(listeners);
    this.capacity = capacity;
    this.problems = problems;
    this.completion = completion;
    this.reason = reason;
    this.thread = new Thread(this::deliver, "valetts-events");
    this.thread.setDaemon(true);
    this.thread.start();
  }

  /** Hands an event over; any thread. Events after {@link #close()} are ignored. */
  public void publish(RunEvent event) {
    if (closed.get()) {
      return;
    }
    if (event instanceof StepCompleted && queue.size() >= capacity) {
      dropped.incrementAndGet();
      return;
    }
    queue.add(() -> tellAll(event));
  }

  /** Steps that no listener heard of because too many events were waiting. */
  public long dropped() {
    return dropped.get();
  }

  /** Delivers what waits (at most 30 seconds), closes the listeners and reports how many steps were dropped. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    queue.add(() -> running = false);
    try {
      thread.join(DRAIN_LIMIT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (thread.isAlive()) {
      problems.accept("A monitor did not finish within " + DRAIN_LIMIT.toSeconds() + " seconds and was left behind.");
    }
    if (dropped.get() > 0) {
      problems.accept("Monitors fell behind: " + dropped.get() + " steps were not shown or logged.");
    }
  }

  private void deliver() {
    while (running) {
      try {
        queue.take().run();
      } catch (InterruptedException e) {
        running = false;
      }
    }
    if (dropped.get() > 0) {
      for (RunListener listener : listeners) {
        attempt(listener, () -> listener.missed(dropped.get()));
      }
      tellFailures(listeners);
    }
    for (int i = 0; i < listeners.size(); i++) {
      attempt(listeners.get(i), listeners.get(i)::close);
      // Whoever shows and writes down may be closed already.
      failures.forEach(failure -> problems.accept(failure.sentence()));
      tellFailures(listeners.subList(i + 1, listeners.size()));
    }
  }

  private void tellAll(RunEvent event) {
    RunEvent complete = completed(event);
    for (RunListener listener : listeners) {
      attempt(listener, () -> listener.on(complete));
    }
    tellFailures(listeners);
  }

  /** After the event that they failed on, which some had not heard of yet. */
  private void tellFailures(List<RunListener> open) {
    List<Failure> told = List.copyOf(failures);
    failures.clear();
    for (Failure failure : told) {
      Notice notice = Notice.warning(failure.sentence());
      for (RunListener listener : open) {
        if (listener != failure.listener()) {
          attempt(listener, () -> listener.on(notice));
        }
      }
    }
    // What fails on that as well would go round for ever.
    failures.forEach(failure -> problems.accept(failure.sentence()));
    failures.clear();
  }

  private RunEvent completed(RunEvent event) {
    try {
      return completion.apply(event);
    } catch (RuntimeException | LinkageError e) {
      report(null, "Measuring the machine", e);
      return event;
    }
  }

  private void attempt(RunListener listener, Action action) {
    try {
      action.run();
    } catch (Exception | LinkageError e) {
      report(listener, listener.name(), e);
    }
  }

  private void report(RunListener listener, String who, Throwable e) {
    String sentence = who + " failed, the run goes on: " + reason.apply(e)
        + ". Once that is mended it works again, at the latest from the next resume on.";
    if (reported.add(sentence)) {
      failures.add(new Failure(listener, sentence));
    }
  }

  private record Failure(RunListener listener, String sentence) {}

  private interface Action {
    void run() throws Exception;
  }
}
