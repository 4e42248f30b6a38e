package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.ExportRequest;
import ai.valetts.app.ExportResult;
import ai.valetts.app.Operations;
import java.nio.file.Path;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code export}: writes a voice for other programs. */
final class ExportCommand implements Command {
  private static final String FORMAT = "safetensors";

  @Override
  public String name() {
    return "export";
  }

  @Override
  public String summary() {
    return "Write a voice's weights under the public reference's names.";
  }

  @Override
  public String arguments() {
    return "RUN_OR_CHECKPOINT";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(RunOptions.value("format", "F", "safetensors"));
    options.addOption(RunOptions.value("out", "FILE", "file to write, ending in .safetensors"));
    options.addOption(RunOptions.flag("discriminators", "also write FILE.D and FILE.DUR .safetensors"));
    options.addOption(
        RunOptions.flag("without-unused", "leave out the tensors that the reference saves but never uses"));
    return options;
  }

  @Override
  public String notes() {
    return """
        The names are those of p0p4k/vits2_pytorch, weight norm as weight_g and weight_v. Tensors that it saves but
        never uses (post_transformer of the pre_conv flow) are written as zeros, so that a strict load_state_dict
        finds every key. FILE.config.json beside it is a config.json of that program; import reads both back, bit for
        bit.

        Example:
          valetts export runs/ana --format safetensors --out ana.safetensors
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    if (line.getArgList().isEmpty() || !line.hasOption("out")) {
      throw new UsageException("takes a run or checkpoint and a file, e.g. runs/ana --out ana.safetensors");
    }
    String format = line.getOptionValue("format", FORMAT);
    if (!format.equals(FORMAT)) {
      throw new UsageException("--format takes " + FORMAT + ", found \"" + format + "\"");
    }
    ExportRequest request =
        new ExportRequest(
            Path.of(line.getArgList().get(0)),
            Path.of(line.getOptionValue("out")),
            !line.hasOption("without-unused"),
            line.hasOption("discriminators"));
    try (Operations operations = terminal.operations().get()) {
      ExportResult result = operations.exportVoice(request);
      terminal.out().println("From: " + result.checkpoint());
      result.files().forEach(file -> terminal.out().println("Made: " + file));
    }
    return ExitCode.DONE;
  }
}
