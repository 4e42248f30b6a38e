package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import ai.valetts.app.StatusResult;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code status}: says where a run stands, from its files alone. */
final class StatusCommand implements Command {
  private static final double LEVEL = 0.005;

  @Override
  public String name() {
    return "status";
  }

  @Override
  public String summary() {
    return "Say where a run stands: step, time to go, losses, validations, checkpoints, warnings.";
  }

  @Override
  public String arguments() {
    return "RUN_DIR";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(RunOptions.flag("json", "print JSON, for programs"));
    return options;
  }

  @Override
  public String notes() {
    return """
        Reads the run's files only and changes none, so that it works while the run goes on. Whether a process trains the
        run is known on the machine where it does.

        Examples:
          valetts status runs/demo
          valetts status runs/demo --json | jq .secondsToGo
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    if (line.getArgList().isEmpty()) {
      throw new UsageException("takes the folder of a run, e.g. runs/demo");
    }
    try (Operations operations = terminal.operations().get()) {
      StatusResult status = operations.status(Path.of(line.getArgList().get(0)));
      if (line.hasOption("json")) {
        terminal.out().println(status.toJson());
      } else {
        print(status, terminal.out());
      }
    }
    return ExitCode.DONE;
  }

  private static void print(StatusResult status, PrintStream out) {
    out.printf(Locale.ROOT, "%s: %s%n", status.run(), state(status));
    row(out, "step", String.format(Locale.ROOT, "%,d, epoch %d, %s trained%s", status.step(), status.epoch(),
        TrainCommand.duration(status.trainedSeconds()),
        status.starts() > 1 ? ", " + status.starts() + " starts" : ""));
    if (!status.limit().isEmpty()) {
      row(out, "limit", status.limit() + progress(status));
    }
    if (!status.device().isEmpty()) {
      row(out, "device", status.device());
    }
    for (StatusResult.Loss loss : status.losses()) {
      row(out, loss.tag(), number(loss.now()) + trend(loss.trend()));
    }
    validation(out, "validation", status.validation());
    if (status.best() != null && status.best().step() != status.validation().step()) {
      validation(out, "best", status.best());
    }
    if (status.checkpoint() != null) {
      row(out, "checkpoint", String.format(Locale.ROOT, "%s (%.1f MB%s), %d kept", status.checkpoint().directory(),
          status.checkpoint().bytes() / 1e6, ago(status.checkpoint().savedAt()), status.checkpoints()));
    } else {
      row(out, "checkpoint", "none");
    }
    speed(out, status.measures());
    status.measures().forEach((tag, value) -> {
      if (!tag.startsWith("perf/")) {
        row(out, tag, number(value));
      }
    });
    if (status.missedSteps() > 0) {
      row(out, "missed", String.format(Locale.ROOT, "%,d steps were not written down: monitors fell behind", status.missedSteps()));
    }
    if (status.damagedLines() > 0) {
      row(out, "damaged", status.damagedLines() + " lines of metrics.jsonl cannot be read");
    }
    if (status.warningCount() > 0) {
      out.println("  warnings (" + status.warningCount() + ")");
      status.warnings().forEach(
          warning -> out.printf(Locale.ROOT, "    step %,d: %s%n", warning.step(), warning.text()));
    }
  }

  private static String state(StatusResult status) {
    return switch (status.state()) {
      case RUNNING -> "running" + wrote(status);
      case ENDED -> "ended: " + status.reason() + wrote(status);
      case FAILED -> "FAILED: " + status.reason() + wrote(status);
      case KILLED -> "its process is gone without a word" + wrote(status)
          + "; go on with: valetts resume " + status.folder();
      case NOT_BEGUN -> "has not begun";
    };
  }

  private static String wrote(StatusResult status) {
    String ago = ago(status.writtenAt());
    return ago.isEmpty() ? "" : " (last written" + ago.substring(1) + ")";
  }

  private static String progress(StatusResult status) {
    if (status.fraction() == null) {
      return "";
    }
    String done = String.format(Locale.ROOT, ", %.0f %% done", status.fraction() * 100);
    boolean going = status.state() == StatusResult.State.RUNNING && status.secondsToGo() != null;
    return done + (going ? ", " + TrainCommand.duration(status.secondsToGo()) + " to go" : "");
  }

  private static void validation(PrintStream out, String name, StatusResult.Validation validation) {
    if (validation == null) {
      return;
    }
    StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "step %,d:", validation.step()));
    validation.scalars().forEach((tag, value) -> text.append(' ').append(tag.replace("val/", "")).append(' ').append(number(value)));
    row(out, name, text.toString());
  }

  private static void speed(PrintStream out, Map<String, Double> measures) {
    if (measures.get("perf/it_s") != null) {
      row(out, "speed", number(measures.get("perf/it_s")) + " it/s, " + number(measures.get("perf/utterances_s")) + " utt/s, "
          + number(measures.get("perf/audio_hours_per_hour")) + " h audio/h, waits " + number(measures.get("perf/data_wait_ms"))
          + " ms for data");
    }
  }

  private static String trend(Double trend) {
    if (trend == null) {
      return "";
    }
    if (Math.abs(trend) < LEVEL) {
      return "  level";
    }
    return String.format(Locale.ROOT, "  %s %.1f %%", trend < 0 ? "falls" : "rises", Math.abs(trend) * 100);
  }

  private static String number(Double value) {
    return value == null ? "not finite" : String.format(Locale.ROOT, Math.abs(value) >= 100 ? "%.1f" : "%.3f", value);
  }

  private static String ago(String time) {
    if (time == null) {
      return "";
    }
    Duration since = Duration.between(Instant.parse(time), Instant.now());
    long seconds = Math.max(0, since.toSeconds());
    String text =
        seconds < 90 ? seconds + " s" : seconds < 5400 ? seconds / 60 + " min" : seconds < 172_800 ? seconds / 3600 + " h" : seconds / 86_400 + " days";
    return ", " + text + " ago";
  }

  private static void row(PrintStream out, String name, String value) {
    out.println("  " + name + " ".repeat(Math.max(1, 28 - name.length())) + value);
  }
}
