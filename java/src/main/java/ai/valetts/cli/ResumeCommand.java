package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import ai.valetts.app.ResumeRequest;
import java.nio.file.Path;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code resume}: goes on with a run from its newest good checkpoint. */
final class ResumeCommand implements Command {
  @Override
  public String name() {
    return "resume";
  }

  @Override
  public String summary() {
    return "Go on with a run from its newest checkpoint that verifies.";
  }

  @Override
  public String arguments() {
    return "RUN_DIR";
  }

  @Override
  public Options options() {
    Options options = new Options();
    RunOptions.addBudget(options);
    RunOptions.addMachine(options);
    RunOptions.addSet(options);
    return options;
  }

  @Override
  public String notes() {
    return """
        The configuration is the run's own (RUN_DIR/config.yaml). Budgets are totals of the run and replace its limits.
        --set takes only keys that do not change what is learned: training limits, device and threads, data threads,
        and the sections validation, checkpoint, monitor and synthesis.

        Examples:
          valetts resume runs/demo --minutes 20
          valetts resume runs/lj --device cuda:0 --set checkpoint.everyMinutes=5
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    if (line.getArgList().isEmpty()) {
      throw new UsageException("takes the folder of a run, e.g. runs/demo");
    }
    ResumeRequest request = new ResumeRequest(Path.of(line.getArgList().get(0)), RunOptions.overrides(line));
    try (Operations operations = terminal.operations().get()) {
      return TrainCommand.report(operations.resume(request), terminal.out());
    }
  }
}
