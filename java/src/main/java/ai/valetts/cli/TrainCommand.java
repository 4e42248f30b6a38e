package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import ai.valetts.app.Places;
import ai.valetts.app.RunResult;
import ai.valetts.app.TrainRequest;
import ai.valetts.config.GpuProfile;
import ai.valetts.config.ValettsConfig;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code train}: starts a run, or goes on with it where its folder already holds one. */
final class TrainCommand implements Command {
  @Override
  public String name() {
    return "train";
  }

  @Override
  public String summary() {
    return "Train a voice on recordings.";
  }

  @Override
  public String arguments() {
    return "";
  }

  @Override
  public Options options() {
    Options options = new Options();
    RunOptions.addSources(options);
    options.addOption(RunOptions.value("name", "NAME", "name of the run; its folder is runs/NAME"));
    options.addOption(RunOptions.value("run", "DIR", "folder of the run, instead of runs/NAME"));
    options.addOption(
        RunOptions.value("init-from", "VOICE", "begin with the weights of a run, checkpoint or public checkpoint file"));
    options.addOption(RunOptions.flag("partial", "with --init-from: take what fits, start the rest fresh"));
    RunOptions.addBudget(options);
    RunOptions.addMachine(options);
    RunOptions.addPrecision(options);
    options.addOption(
        RunOptions.value("profile", "NAME", "auto, or one of " + String.join(", ", GpuProfile.NAMES)));
    RunOptions.addSupervision(options);
    RunOptions.addStorage(options);
    options.addOption(RunOptions.value("seed", "N", "same seed, configuration and threads: same run, bit for bit"));
    RunOptions.addAdvice(options);
    RunOptions.addSet(options);
    return options;
  }

  @Override
  public String notes() {
    return """
        Budget: --minutes, --steps and --epochs replace the configuration's limits; whichever comes first stops the
        run. They are totals: a run of 10 minutes that was stopped after 4 has 6 left. Ctrl-C saves and leaves.

        A run whose folder already holds a checkpoint goes on from it, if the configuration is the same; otherwise the
        differing keys are named and nothing is touched.

        --profile fills in what the configuration leaves open for the machine (precision auto, loading); it never touches
        the batch. --supervise restarts after a crash from the last checkpoint. docs/resume.md has both.

        --init-from begins with the weights of a voice, imported or our own, with new optimizers. Without --config its
        own configuration is taken. Speakers are matched by name, symbols by symbol; new ones get rows of their own.

        Examples:
          valetts train --demo --minutes 10
          valetts train --demo --languages en,es,fr,it,ru --steps 200 --name five
          valetts train --config base --data /data/LJSpeech-1.1:lj:en-us --name lj --device cuda:0
          valetts train --init-from voices/lessac --data /data/ana:ana:en-us --name ana --minutes 600
          valetts train --config my.yaml --set data.batchSize=32 --set optimizer.learningRate=1e-4
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    if (line.hasOption("partial") && !line.hasOption("init-from")) {
      throw new UsageException("--partial goes with --init-from");
    }
    Path initFrom = line.hasOption("init-from") ? Path.of(line.getOptionValue("init-from")) : null;
    boolean ownConfig = initFrom == null || line.hasOption("config") || line.hasOption("demo");
    ValettsConfig given = ownConfig ? RunOptions.configWithData(line) : null;
    if (!ownConfig && !line.hasOption("name") && !line.hasOption("run")) {
      throw new UsageException("--init-from without --config takes the voice's configuration: give the new run a --name");
    }
    try (Operations operations = terminal.operations().get()) {
      ValettsConfig config =
          ownConfig ? given : RunOptions.withData(operations.initialConfig(initFrom, RunOptions.overrides(line)), line);
      Path folder = line.hasOption("run") ? Path.of(line.getOptionValue("run")) : Places.runFolder(config.name());
      TrainRequest request =
          new TrainRequest(config, folder, RunOptions.demoLanguages(line), initFrom, line.hasOption("partial"));
      return report(operations.train(request), terminal.out());
    }
  }

  /** Says how a run ended. */
  static ExitCode report(RunResult result, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "Stopped at step %,d, epoch %d, after %s of training: %s.%n",
        result.step(),
        result.epoch(),
        duration(result.trainedSeconds()),
        result.reason());
    out.println("Run:        " + result.runDirectory());
    out.println("Checkpoint: " + result.checkpoint());
    out.println(
        "Speak:      java -jar valetts.jar synth --voice " + result.runDirectory()
            + " --text \"...\" --out speech.wav (with several speakers also --speaker NAME)");
    out.println("Go on:      java -jar valetts.jar resume " + result.runDirectory() + " --minutes TOTAL");
    return result.interrupted() ? ExitCode.INTERRUPTED : ExitCode.DONE;
  }

  static String duration(double seconds) {
    long whole = Math.round(seconds);
    return whole < 3600
        ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole % 3600 / 60);
  }
}
