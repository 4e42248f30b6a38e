package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import ai.valetts.app.PrepareRequest;
import ai.valetts.app.PrepareResult;
import ai.valetts.config.ValettsConfig;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code prepare}: reads and checks recordings without training. */
final class PrepareCommand implements Command {
  @Override
  public String name() {
    return "prepare";
  }

  @Override
  public String summary() {
    return "Read, check and cache recordings without training, and report on them.";
  }

  @Override
  public String arguments() {
    return "";
  }

  @Override
  public Options options() {
    Options options = new Options();
    RunOptions.addSources(options);
    RunOptions.addSet(options);
    return options;
  }

  @Override
  public String notes() {
    return """
        Every row that cannot be used is listed with its file, line and reason. A run prepares by itself; this command
        shows the same beforehand, leaves the prepared audio in the cache, and writes a report with charts for a browser.
        Interrupted, it goes on where it was. The exit code is 3 where a run would refuse to start.

        The format is found out: LJSpeech, VCTK, Common Voice, Piper, VITS, Coqui or ValeTTS, in a folder or an archive
        (.tar, .tar.gz, .tar.bz2, .zip). docs/data.md has the formats and explains every line of the report.

        Examples:
          valetts prepare --config base --data /data/LJSpeech-1.1:lj:en-us
          valetts prepare --config multispeaker --data VCTK-Corpus-0.92.zip::en-gb --max-bad 2%
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    ValettsConfig config = RunOptions.configWithData(line);
    PrepareRequest request = new PrepareRequest(config, RunOptions.demoLanguages(line));
    try (Operations operations = terminal.operations().get()) {
      PrepareResult result = operations.prepare(request);
      terminal.out().println(result.report().stripTrailing());
      terminal
          .out()
          .printf(
              Locale.ROOT,
              "%,d usable, %,d at fault, %,d left out for their length. With charts: %s%nAs JSON: %s%n",
              result.usableClips(),
              result.badClips(),
              result.leftOutClips(),
              result.reportPage(),
              result.reportFile());
      if (result.refusal() != null) {
        // Its first line is the reason; the rows that follow are in the report above.
        terminal.err().println("valetts prepare: " + result.refusal().lines().findFirst().orElseThrow());
        return ExitCode.DATA;
      }
    }
    return ExitCode.DONE;
  }
}
