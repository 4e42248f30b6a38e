package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.ImportRequest;
import ai.valetts.app.ImportResult;
import ai.valetts.app.Operations;
import ai.valetts.config.ConfigOverride;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code import}: turns a public checkpoint into a voice. */
final class ImportCommand implements Command {
  @Override
  public String name() {
    return "import";
  }

  @Override
  public String summary() {
    return "Turn a VITS2, VITS or Piper checkpoint into a voice, without running anything it holds.";
  }

  @Override
  public String arguments() {
    return "GENERATOR";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(RunOptions.value("out", "DIR", "folder of the voice; it must not exist"));
    options.addOption(RunOptions.value("config", "FILE", "the voice's config.json; default: the one beside the file"));
    options.addOption(RunOptions.value("discriminator", "FILE", "D_*.pth, for training on"));
    options.addOption(RunOptions.value("duration-discriminator", "FILE", "DUR_*.pth, for training on"));
    options.addOption(RunOptions.value("symbols", "FILE", "JSON list of symbols in the order of their ids"));
    options.addOption(
        RunOptions.value("speakers", "FILE", "JSON list of speaker names in the order of their ids, or ids by name"));
    options.addOption(
        RunOptions.value("text-front-end", "NAME", "how the voice reads text, instead of what its config says"));
    options.addOption(RunOptions.value("language", "L", "espeak-ng voice, instead of what its config says"));
    options.addOption(
        RunOptions.value("add-speaker", "NAME", "a new speaker, who begins as the mean of the others; repeatable"));
    options.addOption(RunOptions.flag("partial", "take what fits, start the rest fresh"));
    RunOptions.addSet(options);
    return options;
  }

  @Override
  public String notes() {
    return """
        Reads p0p4k VITS2 (G_*.pth), VITS (.pth), Piper (.ckpt) and safetensors files with their tensor names. The
        pickle inside is read as data: tensors, containers, numbers and text; a file that names anything else is
        refused. The networks are told from names and shapes. The result is a folder for synth, info and
        train --init-from.

        Examples:
          valetts import G_100000.pth --config config.json --out voices/lj
          valetts import epoch=2164.ckpt --config en_US-lessac-medium.onnx.json --out voices/lessac
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    if (line.getArgList().isEmpty() || !line.hasOption("out")) {
      throw new UsageException("takes a checkpoint and a folder, e.g. G_100000.pth --out voices/lj");
    }
    ImportRequest request =
        new ImportRequest(
            Path.of(line.getArgList().get(0)),
            path(line, "discriminator"),
            path(line, "duration-discriminator"),
            path(line, "config"),
            path(line, "symbols"),
            path(line, "speakers"),
            line.getOptionValue("text-front-end"),
            line.getOptionValue("language"),
            line.hasOption("add-speaker") ? Arrays.asList(line.getOptionValues("add-speaker")) : List.of(),
            line.hasOption("partial"),
            line.hasOption("set")
                ? Arrays.stream(line.getOptionValues("set")).map(ConfigOverride::parse).toList()
                : List.of(),
            Path.of(line.getOptionValue("out")));
    try (Operations operations = terminal.operations().get()) {
      print(operations.importVoice(request), terminal);
    }
    return ExitCode.DONE;
  }

  private static Path path(CommandLine line, String option) {
    return line.hasOption(option) ? Path.of(line.getOptionValue(option)) : null;
  }

  private static void print(ImportResult result, Terminal terminal) {
    printWeights(result.weights(), terminal);
    result.remarks().forEach(remark -> terminal.out().println("- " + remark));
    terminal.out().println("Speakers:   " + String.join(", ", result.speakers()));
    terminal.out().println("Voice:      " + result.folder());
    terminal.out().println("Speak:      java -jar valetts.jar synth --voice " + result.folder()
        + " --text \"...\" --out speech.wav" + (result.speakers().size() > 1 ? " --speaker NAME" : ""));
    terminal.out().println("Train on:   java -jar valetts.jar train --init-from " + result.folder()
        + " --data DIR:SPEAKER:LANGUAGE --name NAME");
  }

  /** The table of what became of the tensors. */
  static void printWeights(List<ImportResult.Weights> weights, Terminal terminal) {
    terminal.out().printf("%-12s %-22s %8s %13s  %s%n", "", "part", "tensors", "numbers", "why");
    for (ImportResult.Weights line : weights) {
      terminal
          .out()
          .println(
              String.format(
                      Locale.ROOT, "%-12s %-22s %,8d %,13d  %s",
                      line.outcome(), line.part(), line.tensors(), line.numbers(), line.reason())
                  .stripTrailing());
    }
  }
}
