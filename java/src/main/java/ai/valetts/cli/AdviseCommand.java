package ai.valetts.cli;

import ai.valetts.app.AdviseRequest;
import ai.valetts.app.AdviseResult;
import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code advise}: says in words what a run's numbers mean. */
final class AdviseCommand implements Command {
  private static final List<String> LANGUAGES = List.of("pt", "en", "es");

  @Override
  public String name() {
    return "advise";
  }

  @Override
  public String summary() {
    return "Say in words how a run goes: what each loss means, what is wrong, what to try.";
  }

  @Override
  public String arguments() {
    return "RUN_DIR";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(RunOptions.value("lang", "pt|en|es", "language of the report; the configuration's if left out"));
    options.addOption(RunOptions.flag("offline", "by rules alone: nothing leaves this machine"));
    return options;
  }

  @Override
  public String notes() {
    return """
        Reads the run's files only, so that it works while the run goes on. The report is printed and kept in
        RUN_DIR/reports as JSON and Markdown. Nothing in the run is changed.

        With a key in OPENROUTER_API_KEY a language model is asked through OpenRouter, within the budgets of report.llm
        in the run's configuration; it is sent summarised numbers and settings, no recordings, texts or names. Without
        key, network or budget the report is made by rules and says so. docs/reports.md has the details.

        Examples:
          valetts advise runs/lj
          valetts advise runs/lj --lang en --offline
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    if (line.getArgList().isEmpty()) {
      throw new UsageException("takes the folder of a run, e.g. runs/demo");
    }
    String language = line.getOptionValue("lang");
    if (language != null && !LANGUAGES.contains(language)) {
      throw new UsageException("--lang takes pt, en or es, found \"" + language + "\"");
    }
    AdviseRequest request =
        new AdviseRequest(Path.of(line.getArgList().get(0)), language, line.hasOption("offline"));
    try (Operations operations = terminal.operations().get()) {
      AdviseResult result = operations.advise(request);
      terminal.out().println(result.markdown());
      terminal.out().println("Kept in " + result.file() + " (source: " + result.source() + ")");
    }
    return ExitCode.DONE;
  }
}
