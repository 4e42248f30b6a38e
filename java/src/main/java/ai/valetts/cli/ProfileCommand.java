package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import ai.valetts.app.ProfileRequest;
import ai.valetts.app.ProfileResult;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code profile}: where the time of training steps goes. */
final class ProfileCommand implements Command {
  private static final int DEFAULT_STEPS = 3;
  private static final int DEFAULT_WARM_UP = 1;
  private static final double DEFAULT_SECONDS = 5;
  private static final double MOST_SECONDS = 60;
  private static final double BYTES_PER_MEGABYTE = 1e6;

  @Override
  public String name() {
    return "profile";
  }

  @Override
  public String summary() {
    return "Say where the time of a training step goes, part of the model by part.";
  }

  @Override
  public String arguments() {
    return "";
  }

  @Override
  public Options options() {
    Options options = new Options();
    RunOptions.addSources(options);
    options.addOption(RunOptions.value("run", "DIR", "a run's configuration and recordings, instead of --config"));
    options.addOption(RunOptions.value("steps", "N", "steps to profile; 3 if not given"));
    options.addOption(RunOptions.value("warm-up", "N", "steps before, not profiled; 1 if not given"));
    options.addOption(RunOptions.value("seconds", "S", "without recordings: length of each clip of noise; 5 if not given"));
    options.addOption(RunOptions.flag("json", "print JSON, for programs"));
    options.addOption(RunOptions.value("trace", "FILE", "write the last step as a Chrome trace"));
    RunOptions.addMachine(options);
    RunOptions.addPrecision(options);
    RunOptions.addSet(options);
    return options;
  }

  @Override
  public String notes() {
    return """
        Takes real steps from fresh weights, on recordings where --data, --demo, --run or the configuration names some,
        otherwise on noise. Forward and backward are told apart; the rows add up to the step. docs/profiling.md
        explains the columns.

        Examples:
          valetts profile --config base --set data.batchSize=4 --threads 2
          valetts profile --config base --data /data/LJSpeech-1.1:lj:en-us --device cuda:0 --precision bf16 --steps 10
          valetts profile --run runs/demo --json | jq '.rows[0]'
          valetts profile --config tiny --trace step.json
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    ProfileRequest request = request(line);
    try (Operations operations = terminal.operations().get()) {
      ProfileResult result = operations.profile(request);
      if (request.quiet()) {
        terminal.out().println(result.toJson());
      } else {
        print(result, terminal.out());
      }
    }
    return ExitCode.DONE;
  }

  private static ProfileRequest request(CommandLine line) {
    boolean ofRun = line.hasOption("run");
    if (ofRun && (line.hasOption("config") || line.hasOption("demo") || line.hasOption("data"))) {
      throw new UsageException("--run takes the run's own configuration and recordings: it goes without --config, --demo and --data");
    }
    if (line.hasOption("seconds") && (ofRun || line.hasOption("demo") || line.hasOption("data"))) {
      throw new UsageException("--seconds is the length of clips of noise: it goes without recordings");
    }
    int steps = wholeNumber(line, "steps", 1, DEFAULT_STEPS);
    int warmUp = wholeNumber(line, "warm-up", 0, DEFAULT_WARM_UP);
    double seconds = seconds(line);
    Path trace = line.hasOption("trace") ? Path.of(line.getOptionValue("trace")) : null;
    return new ProfileRequest(
        ofRun ? null : RunOptions.config(line),
        ofRun ? Path.of(line.getOptionValue("run")) : null,
        ofRun ? RunOptions.overrides(line) : List.of(),
        RunOptions.demoLanguages(line),
        seconds,
        warmUp,
        steps,
        trace,
        line.hasOption("json"));
  }

  private static int wholeNumber(CommandLine line, String option, int least, int otherwise) {
    String value = line.getOptionValue(option);
    if (value == null) {
      return otherwise;
    }
    try {
      int number = Integer.parseInt(value);
      if (number >= least) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below for both.
    }
    throw new UsageException("--" + option + " takes a whole number from " + least + ", not \"" + value + "\"");
  }

  private static double seconds(CommandLine line) {
    String value = line.getOptionValue("seconds");
    if (value == null) {
      return DEFAULT_SECONDS;
    }
    try {
      double number = Double.parseDouble(value);
      if (number > 0 && number <= MOST_SECONDS) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below for both.
    }
    throw new UsageException("--seconds takes a number above 0, at most 60, not \"" + value + "\"");
  }

  private static void print(ProfileResult result, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "%s on %s, %s, %d %s: %d %s, %s (%d before to warm up)%n%n",
        result.config(),
        result.device(),
        result.precision(),
        result.threads(),
        result.threads() == 1 ? "thread" : "threads",
        result.steps(),
        result.steps() == 1 ? "step" : "steps",
        result.batches(),
        result.warmUpSteps());
    int width = result.rows().stream().mapToInt(row -> row.module().length()).max().orElse(0);
    String heading = "%-" + width + "s  %-8s  %10s  %7s  %8s  %9s  %10s%n";
    out.printf(heading, "module", "pass", "ms/step", "share", "calls", "operators", "MB");
    result.rows().forEach(row -> print(row, width, out));
    print(result.total(), width, out);
    if (result.recordedKernels() > 0) {
      out.printf(Locale.ROOT, "A recorded step runs %,d kernels on the device.%n", result.recordedKernels());
    }
    if (result.trace() != null) {
      out.println();
      out.println("Trace: " + result.trace() + " (for ui.perfetto.dev or chrome://tracing)");
    }
  }

  private static void print(ProfileResult.Row row, int width, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "%-" + width + "s  %-8s  %10.1f  %5.1f %%  %8.0f  %9.0f  %10.1f%n",
        row.module(),
        row.direction(),
        row.secondsPerStep() * 1e3,
        row.share() * 100,
        row.callsPerStep(),
        row.operatorsPerStep(),
        row.bytesPerStep() / BYTES_PER_MEGABYTE);
  }
}
