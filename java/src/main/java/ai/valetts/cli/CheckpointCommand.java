package ai.valetts.cli;

import ai.valetts.app.CheckpointRequest;
import ai.valetts.app.CheckpointResult;
import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code checkpoint}: has a run that goes on save now. */
final class CheckpointCommand implements Command {
  private static final double USUAL_WAIT_SECONDS = 300;

  @Override
  public String name() {
    return "checkpoint";
  }

  @Override
  public String summary() {
    return "Have a run that goes on save a checkpoint now.";
  }

  @Override
  public String arguments() {
    return "RUN_DIR";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(RunOptions.value("wait", "SECONDS", "how long to wait for it; 300 if not given"));
    return options;
  }

  @Override
  public String notes() {
    return """
        The run saves after the step it is at, and goes on. The same is asked by making the file RUN_DIR/inbox/checkpoint.
        Ctrl-C or SIGTERM, sent to the run itself, saves and ends it.

        Examples:
          valetts checkpoint runs/lj
          valetts checkpoint runs/lj --wait 60
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    if (line.getArgList().isEmpty()) {
      throw new UsageException("takes the folder of a run, e.g. runs/demo");
    }
    double seconds = line.hasOption("wait") ? seconds(line.getOptionValue("wait")) : USUAL_WAIT_SECONDS;
    try (Operations operations = terminal.operations().get()) {
      CheckpointResult saved =
          operations.checkpoint(new CheckpointRequest(Path.of(line.getArgList().get(0)), seconds));
      terminal.out().printf(Locale.ROOT, "Saved step %,d: %s (%.1f MB)%n", saved.step(), saved.directory(),
          saved.bytes() / 1e6);
    }
    return ExitCode.DONE;
  }

  private static double seconds(String text) {
    try {
      double seconds = Double.parseDouble(text);
      if (seconds > 0 && seconds <= 86_400) {
        return seconds;
      }
    } catch (NumberFormatException e) {
      // Refused below, like a number out of range.
    }
    throw new UsageException("--wait takes seconds up to 86,400, found \"" + text + "\"");
  }
}
