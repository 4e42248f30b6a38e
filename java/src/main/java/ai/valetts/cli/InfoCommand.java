package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.InfoRequest;
import ai.valetts.app.InfoResult;
import ai.valetts.app.Operations;
import java.nio.file.Path;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code info}: describes a run, a checkpoint, or the networks of a configuration. */
final class InfoCommand implements Command {
  @Override
  public String name() {
    return "info";
  }

  @Override
  public String summary() {
    return "Describe a run, a checkpoint, or the networks of a configuration.";
  }

  @Override
  public String arguments() {
    return "[RUN_OR_CHECKPOINT]";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(
        RunOptions.value("config", "FILE", "build this configuration's networks and count their parameters and memory"));
    options.addOption(RunOptions.flag("step", "with --config: also take one training step on noise"));
    RunOptions.addMachine(options);
    RunOptions.addSet(options);
    return options;
  }

  @Override
  public String notes() {
    return """
        Parameters are counted as the public reference counts them; those it saves but never uses are given apart.

        Examples:
          valetts info runs/demo
          valetts info --config base --step --set data.batchSize=4
          valetts info --config base --set model.vocabularySize=178
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    boolean hasFolder = !line.getArgList().isEmpty();
    if (hasFolder == line.hasOption("config")) {
      throw new UsageException("give either a folder or --config FILE");
    }
    if (hasFolder && (line.hasOption("step") || line.hasOption("set") || line.hasOption("device") || line.hasOption("threads"))) {
      throw new UsageException("--step, --set, --device and --threads go with --config");
    }
    InfoRequest request =
        hasFolder
            ? new InfoRequest(Path.of(line.getArgList().get(0)), null, false)
            : new InfoRequest(null, RunOptions.config(line), line.hasOption("step"));
    try (Operations operations = terminal.operations().get()) {
      print(operations.info(request), terminal);
    }
    return ExitCode.DONE;
  }

  private static void print(InfoResult result, Terminal terminal) {
    for (InfoResult.Section section : result.sections()) {
      terminal.out().println(section.title());
      int width = section.rows().stream().mapToInt(row -> row.name().length()).max().orElse(0);
      for (InfoResult.Row row : section.rows()) {
        terminal.out().println("  " + row.name() + " ".repeat(width - row.name().length() + 2) + row.value());
      }
      terminal.out().println();
    }
  }
}
