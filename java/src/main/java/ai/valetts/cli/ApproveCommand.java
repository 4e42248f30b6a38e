package ai.valetts.cli;

import ai.valetts.app.ApproveRequest;
import ai.valetts.app.ApproveResult;
import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code approve}: a person's word on changes that reports proposed. */
final class ApproveCommand implements Command {
  @Override
  public String name() {
    return "approve";
  }

  @Override
  public String summary() {
    return "Approve a change that a report proposed for a run, or take one back.";
  }

  @Override
  public String arguments() {
    return "RUN_DIR [ID]";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(RunOptions.value("revert", "ID", "take back a change that was made"));
    return options;
  }

  @Override
  public String notes() {
    return """
        Without an ID the run's changes are listed. Reports propose changes only in runs with --llm-apply; those of more
        than 25 % wait here. The decision is left in RUN_DIR/inbox, which the run reads between two steps, or when it
        goes on. docs/reports.md has the rules.

        Examples:
          valetts approve runs/lj
          valetts approve runs/lj c2
          valetts approve runs/lj --revert c1
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    List<String> words = line.getArgList();
    if (words.isEmpty()) {
      throw new UsageException("takes the folder of a run, e.g. runs/demo");
    }
    if (words.size() == 2 && line.hasOption("revert")) {
      throw new UsageException("takes either the ID of a change to approve or --revert ID");
    }
    String id = words.size() == 2 ? words.get(1) : line.getOptionValue("revert");
    try (Operations operations = terminal.operations().get()) {
      ApproveResult result =
          operations.approve(new ApproveRequest(Path.of(words.get(0)), id, line.hasOption("revert")));
      result.changes().forEach(terminal.out()::println);
      if (!result.decision().isEmpty()) {
        terminal.out().println(result.decision());
      }
    }
    return ExitCode.DONE;
  }
}
