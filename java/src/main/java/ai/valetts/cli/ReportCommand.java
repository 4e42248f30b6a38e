package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import java.nio.file.Path;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code report}: makes the page of a run. */
final class ReportCommand implements Command {
  @Override
  public String name() {
    return "report";
  }

  @Override
  public String summary() {
    return "Make a run's page: curves, sounds, pictures, reports and events in one HTML file.";
  }

  @Override
  public String arguments() {
    return "RUN_DIR";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(RunOptions.value("out", "FILE", "where to; RUN_DIR/report.html if left out"));
    return options;
  }

  @Override
  public String notes() {
    return """
        The page carries everything it shows: it opens offline, on a phone as on a large screen, and asks nothing of any
        network. Of very many validations it carries sounds and pictures of some, so that it stays near 12 MB. A run makes
        it itself, at its validations and at its end; this makes it anew from the run's files, also while the run goes on.

        Examples:
          valetts report runs/demo
          valetts report runs/demo --out demo.html
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    if (line.getArgList().isEmpty()) {
      throw new UsageException("takes the folder of a run, e.g. runs/demo");
    }
    Path out = line.hasOption("out") ? Path.of(line.getOptionValue("out")) : null;
    try (Operations operations = terminal.operations().get()) {
      terminal.out().println(operations.report(Path.of(line.getArgList().get(0)), out));
    }
    return ExitCode.DONE;
  }
}
