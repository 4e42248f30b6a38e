package ai.valetts.report;

import ai.valetts.config.ReportConfig;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Path;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Carries suggestions out, where a person has allowed it: only keys that {@code report.changes} names, inside its ranges
 * and factors, at most one between two validations. A change of more than a quarter becomes a proposal and waits for a
 * decision in the {@link ChangeInbox}. Everything is written to the {@link ChangeJournal}, which is also how changes
 * outlive the process. Told of events by the bus, of reports by the reports' thread.
 */
public final class Advisor implements RunListener {
  /** Changes above this share wait for a person. */
  public static final double FREE_SHARE = 0.25;

  /** Suggestions of less confidence are only read. */
  public static final double MIN_CONFIDENCE = 0.5;

  private static final double NO_CHANGE_SHARE = 0.01;
  private static final long INBOX_MILLIS = 1000;

  private final Path run;
  private final ReportConfig config;
  private final Map<String, Double> configured;
  private final ChangeJournal journal;
  private final ChangeInbox inbox;
  private final ChangeSink sink;
  private final Clock clock;
  private final Consumer<String> notice;

  private long step;
  private boolean validatedSinceChange;
  private long inboxReadMillis = -INBOX_MILLIS;

  /**
   * @param run its folder, to be named in commands
   * @param configured values of the configuration by key; a key that has none cannot be changed
   * @param notice told of each change and proposal
   */
  public Advisor(
      Path run,
      ReportConfig config,
      Map<String, Double> configured,
      ChangeJournal journal,
      ChangeInbox inbox,
      ChangeSink sink,
      Clock clock,
      Consumer<String> notice) {
    this.run = run;
    this.config = config;
    this.configured = new HashMap<>(configured);
    this.journal = journal;
    this.inbox = inbox;
    this.sink = sink;
    this.clock = clock;
    this.notice = notice;
  }

  /**
   * Before the first step: brings the values back that changes had brought about, whichever checkpoint the run goes on
   * from, and reads what was decided in between.
   *
   * @param completedSteps of the checkpoint
   */
  public synchronized void restore(long completedSteps) throws IOException {
    step = completedSteps;
    Map<String, Double> values = journal.inForce();
    for (Map.Entry<String, Double> value : values.entrySet()) {
      if (configured.containsKey(value.getKey())) {
        sink.requestChange(value.getKey(), value.getValue(), "in force before the run went on");
      }
    }
    readInbox();
  }

  @Override
  public String name() {
    return "Carrying changes out";
  }

  @Override
  public synchronized void on(RunEvent event) throws IOException {
    if (event instanceof StepCompleted completed) {
      step = Math.max(step, completed.step());
      if (clock.millis() - inboxReadMillis >= INBOX_MILLIS) {
        readInbox();
      }
    } else if (event instanceof ValidationCompleted validation) {
      step = Math.max(step, validation.step());
      validatedSinceChange = true;
    }
  }

  /** Looks at a report's suggestions; does nothing unless {@code report.apply} is set. */
  public synchronized void consider(Report report) {
    if (!config.apply() || !validatedSinceChange) {
      return;
    }
    try {
      Optional<ChangeJournal.Line> best = Optional.empty();
      for (Report.Suggestion suggestion :
          report.suggestions().stream()
              .sorted(Comparator.comparingDouble(Report.Suggestion::confidence).reversed())
              .toList()) {
        best = best.isPresent() ? best : change(suggestion, report);
      }
      if (best.isPresent()) {
        carryOut(best.get());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The change that a suggestion stands for, drawn into what is allowed; empty if nothing is left of it. */
  private Optional<ChangeJournal.Line> change(Report.Suggestion suggestion, Report report) throws IOException {
    Optional<ReportConfig.Change> allowed =
        config.changes().stream().filter(change -> change.key().equals(suggestion.key())).findFirst();
    Double from = current(suggestion.key());
    boolean usable = suggestion.low() > 0
        && suggestion.low() <= suggestion.high()
        && suggestion.confidence() >= MIN_CONFIDENCE
        && from != null
        && from > 0;
    if (allowed.isEmpty() || !usable) {
      return Optional.empty();
    }
    double to = within(allowed.get(), from, Math.sqrt(suggestion.low() * suggestion.high()));
    if (Math.abs(to / from - 1) < NO_CHANGE_SHARE) {
      return Optional.empty();
    }
    return Optional.of(new ChangeJournal.Line(
        journal.newId(), ChangeJournal.State.PROPOSED, step, now(), suggestion.key(), from, to, report.source(),
        suggestion.reason()));
  }

  private static double within(ReportConfig.Change allowed, double from, double to) {
    double byFactor = Math.max(from / allowed.maxFactor(), Math.min(from * allowed.maxFactor(), to));
    double byRange = Math.max(allowed.least(), Math.min(allowed.most(), byFactor));
    // A value outside of the range to begin with is not dragged into it by a leap.
    return Math.max(from / allowed.maxFactor(), Math.min(from * allowed.maxFactor(), byRange));
  }

  private void carryOut(ChangeJournal.Line change) throws IOException {
    boolean free = Math.abs(change.to() / change.from() - 1) <= FREE_SHARE + 1e-9;
    for (ChangeJournal.Line other : journal.changes()) {
      boolean waiting = other.state() == ChangeJournal.State.PROPOSED && other.key().equals(change.key());
      if (waiting && !free && Math.abs(other.to() / change.to() - 1) < NO_CHANGE_SHARE) {
        return;
      }
      if (waiting) {
        journal.append(other.with(ChangeJournal.State.REPLACED, step, now()));
      }
    }
    if (free) {
      make(change);
    } else {
      journal.append(change);
      validatedSinceChange = false;
      notice.accept("Change " + change.id() + " is proposed and waits: " + words(change)
          + ". To make it: valetts approve " + run + " " + change.id());
    }
  }

  private void make(ChangeJournal.Line change) throws IOException {
    // Written first: a process that is killed in between makes the change when the run goes on.
    journal.append(change.with(ChangeJournal.State.MADE, step, now()));
    validatedSinceChange = false;
    sink.requestChange(change.key(), change.to(), change.id() + " (" + change.source() + "): " + change.reason());
    notice.accept("Change " + change.id() + " is made: " + words(change)
        + ". To take it back: valetts approve " + run + " --revert " + change.id());
  }

  private void readInbox() throws IOException {
    inboxReadMillis = clock.millis();
    inbox.forEach(decision -> {
      try {
        decide(decision);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
  }

  private void decide(ChangeInbox.Decision decision) throws IOException {
    Optional<ChangeJournal.Line> found = journal.change(decision.id());
    if (found.isEmpty()) {
      notice.accept("The inbox names the change " + decision.id() + ", which there is not; it was left out.");
      return;
    }
    ChangeJournal.Line change = found.get();
    if (!configured.containsKey(change.key())) {
      notice.accept("Change " + change.id() + " is left out: the configuration has no " + change.key() + ".");
    } else if (decision.revert() && change.state() == ChangeJournal.State.MADE) {
      journal.append(change.with(ChangeJournal.State.REVERTED, step, now()));
      sink.requestChange(change.key(), change.from(), change.id() + " is taken back");
      notice.accept("Change " + change.id() + " is taken back: " + change.key() + " is " + change.from() + " again.");
    } else if (!decision.revert() && change.state() == ChangeJournal.State.PROPOSED) {
      approve(change);
    } else {
      notice.accept("Change " + change.id() + " is " + change.state().name().toLowerCase(Locale.ROOT)
          + " already; there is nothing to " + (decision.revert() ? "take back." : "approve."));
    }
  }

  /** A person's word, but inside the ranges that hold now, from the value that holds now. */
  private void approve(ChangeJournal.Line change) throws IOException {
    Optional<ReportConfig.Change> allowed =
        config.changes().stream().filter(candidate -> candidate.key().equals(change.key())).findFirst();
    Double from = current(change.key());
    if (allowed.isEmpty() || from == null || Math.abs(within(allowed.get(), from, change.to()) / change.to() - 1) > 1e-9) {
      notice.accept("Change " + change.id() + " is left out: " + words(change)
          + " is no longer inside report.changes (the value is " + from + " now).");
      journal.append(change.with(ChangeJournal.State.REPLACED, step, now()));
      return;
    }
    make(new ChangeJournal.Line(
        change.id(), change.state(), change.step(), change.time(), change.key(), from, change.to(), change.source(),
        change.reason()));
  }

  private Double current(String key) throws IOException {
    return configured.containsKey(key) ? journal.inForce().getOrDefault(key, configured.get(key)) : null;
  }

  /** Without a full stop at its end, which reasons may have. */
  private static String words(ChangeJournal.Line change) {
    return String.format(
        Locale.ROOT, "%s from %s to %s (%+.0f %%), %s: %s", change.key(), short4(change.from()), short4(change.to()),
        100 * (change.to() / change.from() - 1), change.source(), change.reason().strip().replaceFirst("\\.$", ""));
  }

  private static String short4(double value) {
    return String.valueOf(new BigDecimal(value).round(new MathContext(4)).doubleValue());
  }

  private String now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
