package ai.valetts.monitor;

import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Shows a run on the console: a bar on a terminal; elsewhere plain lines, one at the first step, then one every
 * {@code everySteps} steps but not more often than every two seconds, and at the latest every thirty. A validation is a small
 * table that holds each measurement against the one before and the best so far.
 */
public final class ConsoleProgress implements RunListener {
  private static final long BAR_LENGTH = 1000;
  private static final long MIN_GAP_NANOS = Duration.ofSeconds(2).toNanos();
  private static final long MAX_GAP_NANOS = Duration.ofSeconds(30).toNanos();
  private static final int BAR_INTERVAL_MILLIS = 500;
  private static final int BAR_WIDTH = 160;
  private static final String CLEAR_LINE = "\r\u001b[2K";

  private final PrintStream out;
  private final boolean terminal;
  private final int everySteps;
  private final LongSupplier nanoTime;
  private ProgressBar bar;
  private final ValidationTable table = new ValidationTable();
  private boolean anyLine;
  private long lineNanos;

  /**
   * @param terminal whether {@code out} understands a bar
   */
  public ConsoleProgress(PrintStream out, boolean terminal, int everySteps) {
    this(out, terminal, everySteps, System::nanoTime);
  }

  ConsoleProgress(PrintStream out, boolean terminal, int everySteps, LongSupplier nanoTime) {
    this.out = out;
    this.terminal = terminal;
    this.everySteps = everySteps;
    this.nanoTime = nanoTime;
  }

  @Override
  public String name() {
    return "The progress on the console";
  }

  @Override
  public void on(RunEvent event) {
    if (event instanceof StepCompleted completed) {
      step(completed);
    } else if (event instanceof ValidationCompleted validation) {
      table.of(validation).forEach(this::line);
    } else if (event instanceof CheckpointSaved saved) {
      line(String.format(Locale.ROOT, "checkpoint at step %d: %s (%.1f MB)",
          saved.step(), saved.directory(), saved.bytes() / 1e6));
    } else if (event instanceof Notice notice) {
      line(notice.level() == Notice.Level.WARNING ? standingOut("warning: " + notice.text()) : notice.text());
    } else if (event instanceof RunStarted started) {
      table.startFrom(started.validations());
      line("run " + started.run() + (started.resumed() ? " goes on at step " + started.step() : " starts")
          + " on " + started.device());
    } else if (event instanceof RunEnded ended) {
      closeBar();
      String end = "run ended at step " + ended.step() + ": " + ended.reason();
      line(ended.failed() ? standingOut(end) : end);
    }
  }

  private void step(StepCompleted completed) {
    if (terminal) {
      if (bar == null) {
        bar = newBar();
      }
      bar.stepTo(Math.round(completed.progress().fraction() * BAR_LENGTH));
      bar.setExtraMessage(describe(completed));
      return;
    }
    long now = nanoTime.getAsLong();
    long gap = now - lineNanos;
    boolean due = completed.step() % everySteps == 0 && gap >= MIN_GAP_NANOS;
    if (!anyLine || due || gap >= MAX_GAP_NANOS) {
      anyLine = true;
      lineNanos = now;
      line(describe(completed));
    }
  }

  private static String describe(StepCompleted completed) {
    Map<String, Double> scalars = completed.scalars();
    Progress progress = completed.progress();
    return String.format(Locale.ROOT,
        "step %d epoch %d | mel %.3f kl %.2f dur %.2f fm %.2f gen %.2f disc %.2f"
            + " | %.2f it/s %.1f utt/s %.2f h audio/h%s%s",
        completed.step(), completed.epoch(),
        value(scalars, "loss/g/mel_l1"), value(scalars, "loss/g/kl"), value(scalars, "loss/g/dur"),
        value(scalars, "loss/g/fm"), value(scalars, "loss/g/gen"), value(scalars, "loss/d/total"),
        progress.stepsPerSecond(), progress.utterancesPerSecond(), progress.audioHoursPerHour(),
        toGo(progress), cost(scalars));
  }

  private static String cost(Map<String, Double> scalars) {
    StringBuilder text = new StringBuilder();
    for (String[] currency : new String[][] {{"usd", "USD"}, {"units", "units"}}) {
      Double spent = scalars.get("cost/" + currency[0]);
      Double atEnd = scalars.get("cost/" + currency[0] + "_at_end");
      if (spent != null) {
        text.append(text.isEmpty() ? " | " : ", ").append(String.format(Locale.ROOT, "%.2f", spent));
        text.append(atEnd == null ? "" : String.format(Locale.ROOT, " of %.2f", atEnd)).append(" ").append(currency[1]);
      }
    }
    Double left = scalars.get("cost/session_hours_left");
    if (left != null) {
      text.append(text.isEmpty() ? " | " : ", ").append("session ").append(duration(left * 3600)).append(" left");
    }
    return text.toString();
  }

  private static String toGo(Progress progress) {
    return progress.limit().isEmpty()
        ? ""
        : " | " + duration(progress.secondsToGo()) + " to go (" + progress.limit() + ")";
  }

  /** Bold and yellow on a terminal, marked in a log. */
  private String standingOut(String text) {
    return terminal ? "\u001b[1;33m" + text + "\u001b[0m" : "!!! " + text;
  }

  private static double value(Map<String, Double> scalars, String tag) {
    return scalars.getOrDefault(tag, Double.NaN);
  }

  static String duration(double seconds) {
    if (!Double.isFinite(seconds)) {
      return "unknown time";
    }
    long whole = Math.round(seconds);
    if (whole < 60) {
      return whole + " s";
    }
    if (whole < 3600) {
      return "%d min %02d s".formatted(whole / 60, whole % 60);
    }
    return "%d h %02d min".formatted(whole / 3600, whole % 3600 / 60);
  }

  private ProgressBar newBar() {
    return new ProgressBarBuilder()
        .setTaskName("train")
        .setInitialMax(BAR_LENGTH)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(BAR_INTERVAL_MILLIS)
        .hideEta()
        .setConsumer(new ConsoleProgressBarConsumer(out, BAR_WIDTH))
        .build();
  }

  private void line(String text) {
    out.println((bar == null ? "" : CLEAR_LINE) + text);
    out.flush();
  }

  private void closeBar() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }

  @Override
  public void close() {
    closeBar();
  }
}
