package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import ai.valetts.app.ResumeRequest;
import java.nio.file.Path;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
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
    RunOptions.addPrecision(options);
    RunOptions.addSupervision(options);
    RunOptions.addAdvice(options);
    RunOptions.addStorage(options);
    options.addOption(
        Option.builder()
            .longOpt("from-drive")
            .hasArg()
            .optionalArg(true)
            .argName("LOCATION")
            .desc("first fetch the newest copy that verifies; without LOCATION from where RUN_DIR says")
            .get());
    RunOptions.addSet(options);
    return options;
  }

  @Override
  public String notes() {
    return """
        The configuration is the run's own (RUN_DIR/config.yaml). Budgets are totals of the run and replace its limits.
        --set takes only keys that do not change what is learned: training limits, device, threads and precision, data
        threads, and the sections validation, checkpoint, monitor, synthesis, report, storage and cost. The run keeps the
        precision it began with unless --precision names another.

        --from-drive goes on with a run that another machine copied away, on this one: the newest copy every file of which
        verifies is fetched (what is passed over is named), installed as runs/NAME or RUN_DIR, and continued. A local run
        that is newer is never touched. LOCATION is a storage.location or the run's folder in it.

        Examples:
          valetts resume runs/demo --minutes 20
          valetts resume --from-drive /content/drive/MyDrive/valetts/lj
          valetts resume runs/lj --device cuda:0 --set checkpoint.everyMinutes=5
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    boolean fromDrive = line.hasOption("from-drive");
    String location = line.getOptionValue("from-drive");
    if (line.getArgList().isEmpty() && location == null) {
      throw new UsageException("takes the folder of a run, e.g. runs/demo"
          + (fromDrive ? ", or --from-drive a LOCATION" : ""));
    }
    Path folder = line.getArgList().isEmpty() ? null : Path.of(line.getArgList().get(0));
    ResumeRequest request = new ResumeRequest(folder, RunOptions.overrides(line), fromDrive, location);
    try (Operations operations = terminal.operations().get()) {
      return TrainCommand.report(operations.resume(request), terminal.out());
    }
  }
}
