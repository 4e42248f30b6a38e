package ai.valetts.report;

import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Has reports made while a run goes on: one at each validation and at the end, and whatever its {@link Triggers} ask for
 * between. The work is done on a thread of its own, one report at a time; when a report takes longer than the time to the
 * next occasion, occasions between are passed over. {@link #close()} waits a little for the last one.
 */
public final class Reporter implements RunListener {
  /** What makes the reports. Called by one thread; an interrupt asks it to come to an end. */
  public interface Work {

    /** The run begins or goes on. */
    void prepare();

    /**
     * Makes one report.
     *
     * @param askModel whether a model is to be asked, or the rules are enough
     */
    void report(boolean askModel) throws InterruptedException;
  }

  /**
   * When a model is asked.
   *
   * @param everyEpochs null for never
   * @param everyMinutes null for never
   * @param atValidation at each validation and at the end
   */
  public record Triggers(Integer everyEpochs, Double everyMinutes, boolean atValidation) {
    /** Rules alone, at validations and at the end. */
    public static final Triggers NONE = new Triggers(null, null, false);
  }

  private record Occasion(boolean askModel) {
    Occasion with(Occasion later) {
      return new Occasion(askModel || later.askModel);
    }
  }

  private final Work work;
  private final Triggers triggers;
  private final Clock clock;
  private final Duration patience;
  private final Thread thread = new Thread(this::run, "valetts-reports");

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private Occasion waiting;
  private boolean starts;
  private boolean closing;
  private volatile boolean inHaste;

  private int epoch = -1;
  private long reportedMillis;

  /**
   * @param clock tells when minutes are over
   * @param patience for the report that is being made when the run ends
   */
  public Reporter(Work work, Triggers triggers, Clock clock, Duration patience) {
    this.work = work;
    this.triggers = triggers;
    this.clock = clock;
    this.patience = patience;
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public String name() {
    return "Making reports";
  }

  @Override
  public void on(RunEvent event) {
    if (event instanceof RunStarted) {
      reportedMillis = clock.millis();
      tell(() -> starts = true);
    } else if (event instanceof StepCompleted step) {
      if (due(step.epoch())) {
        reportedMillis = clock.millis();
        add(new Occasion(true));
      }
    } else if (event instanceof ValidationCompleted) {
      if (triggers.atValidation()) {
        reportedMillis = clock.millis();
      }
      add(new Occasion(triggers.atValidation()));
    } else if (event instanceof RunEnded) {
      add(new Occasion(triggers.atValidation()));
    }
  }

  private boolean due(int stepEpoch) {
    boolean newEpoch = epoch >= 0 && stepEpoch > epoch;
    epoch = stepEpoch;
    boolean byEpochs = triggers.everyEpochs() != null && newEpoch && stepEpoch % triggers.everyEpochs() == 0;
    boolean byMinutes = triggers.everyMinutes() != null
        && clock.millis() - reportedMillis >= triggers.everyMinutes() * 60_000;
    return byEpochs || byMinutes;
  }

  private void add(Occasion occasion) {
    tell(() -> waiting = waiting == null ? occasion : waiting.with(occasion));
  }

  private void tell(Runnable change) {
    lock.lock();
    try {
      change.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      while (true) {
        Occasion occasion;
        boolean prepare;
        lock.lock();
        try {
          while (waiting == null && !starts && !closing) {
            changed.await();
          }
          if (waiting == null && !starts) {
            return;
          }
          occasion = waiting;
          prepare = starts;
          waiting = null;
          starts = false;
        } finally {
          lock.unlock();
        }
        if (prepare) {
          work.prepare();
        }
        if (occasion != null) {
          // An interrupt was meant for the report before: with it still set, this one could not be written.
          Thread.interrupted();
          work.report(occasion.askModel() && !inHaste);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Lets the reports that wait be made; after {@code patience} asks for an end and waits as long once more. */
  @Override
  public void close() {
    tell(() -> closing = true);
    try {
      thread.join(patience.toMillis());
      if (thread.isAlive()) {
        inHaste = true;
        thread.interrupt();
        thread.join(patience.toMillis());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
