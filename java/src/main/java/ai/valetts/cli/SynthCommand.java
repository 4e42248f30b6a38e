package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.Operations;
import ai.valetts.app.SynthRequest;
import ai.valetts.app.SynthResult;
import ai.valetts.config.ConfigException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code synth}: speaks a sentence, or every line of a file. */
final class SynthCommand implements Command {
  private static final List<String> PRECISIONS = List.of("fp32", "bf16");

  @Override
  public String name() {
    return "synth";
  }

  @Override
  public String summary() {
    return "Speak a sentence, or each line of a file, with a trained voice.";
  }

  @Override
  public String arguments() {
    return "";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(RunOptions.value("voice", "DIR", "folder of a run (its newest checkpoint) or of a checkpoint"));
    options.addOption(RunOptions.value("text", "TEXT", "what to say"));
    options.addOption(RunOptions.value("file", "FILE", "UTF-8 text, one sentence a line; empty lines are skipped"));
    options.addOption(
        RunOptions.value("out", "PATH", "WAV file for --text; folder for --file, files 0001.wav, 0002.wav by line"));
    options.addOption(RunOptions.value("speaker", "NAME", "needed when the voice has several"));
    options.addOption(RunOptions.value("language", "L", "espeak-ng voice, instead of the speaker's language"));
    options.addOption(RunOptions.value("noise", "X", "variation of the voice; 0 for none (config: synthesis.noiseScale)"));
    options.addOption(
        RunOptions.value("noise-w", "X", "variation of the rhythm; 0 for none (synthesis.durationNoiseScale)"));
    options.addOption(RunOptions.value("speed", "X", "1.2 speaks a fifth faster; the inverse of --length-scale"));
    options.addOption(RunOptions.value("length-scale", "X", "1.2 makes every sound a fifth longer (synthesis.lengthScale)"));
    options.addOption(RunOptions.value("seed", "N", "same seed, same audio (default 0)"));
    RunOptions.addMachine(options);
    options.addOption(
        RunOptions.value("precision", "P", "fp32 (default), or bf16: a little coarser, meant for CPUs with AMX"));
    return options;
  }

  @Override
  public String notes() {
    return """
        Examples:
          valetts synth --voice runs/demo --text "Please hold the line." --out hold.wav
          valetts synth --voice runs/five --speaker es-allison --file lines.txt --out samples --speed 1.1
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    require(line, "voice");
    require(line, "out");
    if (line.hasOption("text") == line.hasOption("file")) {
      throw new UsageException("give either --text or --file");
    }
    if (line.hasOption("speed") && line.hasOption("length-scale")) {
      throw new UsageException("give either --speed or --length-scale: one is the inverse of the other");
    }
    Path out = Path.of(line.getOptionValue("out"));
    List<SynthRequest.Line> lines =
        line.hasOption("text")
            ? List.of(new SynthRequest.Line(line.getOptionValue("text"), out))
            : lines(Path.of(line.getOptionValue("file")), out);
    Float lengthScale = number(line, "length-scale", 0.1, 10);
    Float speed = number(line, "speed", 0.1, 10);
    SynthRequest request =
        new SynthRequest(
            Path.of(line.getOptionValue("voice")),
            lines,
            line.getOptionValue("speaker"),
            line.getOptionValue("language"),
            number(line, "noise", 0, 4),
            number(line, "noise-w", 0, 4),
            speed == null ? lengthScale : Float.valueOf(1 / speed),
            seed(line),
            device(line),
            threads(line),
            precision(line));
    try (Operations operations = terminal.operations().get()) {
      report(operations.synthesize(request), terminal);
    }
    return ExitCode.DONE;
  }

  private static void report(SynthResult result, Terminal terminal) {
    terminal.out().println("Voice: " + result.checkpoint() + ", speaker " + result.speaker());
    for (SynthResult.Spoken spoken : result.spoken()) {
      terminal
          .out()
          .printf(
              Locale.ROOT,
              "%s  %.2f s of audio in %.2f s  %s%n",
              spoken.output(),
              spoken.audioSeconds(),
              spoken.computeSeconds(),
              spoken.phonemes());
      if (!spoken.unknownSymbols().isEmpty()) {
        terminal
            .err()
            .println(
                spoken.output() + ": the voice was not made for these symbols: " + String.join(" ", spoken.unknownSymbols()));
      }
    }
  }

  private static String precision(CommandLine line) {
    String precision = line.getOptionValue("precision", PRECISIONS.get(0));
    if (!PRECISIONS.contains(precision)) {
      throw new UsageException("--precision takes " + String.join(" or ", PRECISIONS) + ", found \"" + precision + "\"");
    }
    return precision;
  }

  private static List<SynthRequest.Line> lines(Path file, Path folder) {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new UsageException("--out takes a folder with --file, but " + folder + " is a file");
    }
    List<String> texts;
    try {
      texts = Files.readAllLines(file);
    } catch (CharacterCodingException e) {
      throw new ConfigException(file.toString(), List.of("the file is not UTF-8 text"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    List<SynthRequest.Line> lines = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      if (!texts.get(i).isBlank()) {
        lines.add(
            new SynthRequest.Line(texts.get(i).strip(), folder.resolve(String.format(Locale.ROOT, "%04d.wav", i + 1))));
      }
    }
    if (lines.isEmpty()) {
      throw new UsageException(file + " has no line to speak");
    }
    return lines;
  }

  private static void require(CommandLine line, String option) {
    if (!line.hasOption(option)) {
      throw new UsageException("--" + option + " is missing");
    }
  }

  private static Float number(CommandLine line, String option, double least, double most) {
    if (!line.hasOption(option)) {
      return null;
    }
    String text = line.getOptionValue(option);
    try {
      float value = Float.parseFloat(text);
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Answered below, like a number out of range.
    }
    throw new UsageException("--" + option + " takes a number from " + least + " to " + most + ", found \"" + text + "\"");
  }

  private static long seed(CommandLine line) {
    String text = line.getOptionValue("seed", "0");
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw new UsageException("--seed takes a whole number, found \"" + text + "\"");
    }
  }

  private static int threads(CommandLine line) {
    String text = line.getOptionValue("threads", "0");
    if (text.matches("[0-9]{1,4}")) {
      return Integer.parseInt(text);
    }
    throw new UsageException("--threads takes a whole number from 0, found \"" + text + "\"");
  }

  private static String device(CommandLine line) {
    String text = line.getOptionValue("device", "auto");
    if (text.matches("auto|cpu|cuda(:[0-9]{1,3})?")) {
      return text;
    }
    throw new UsageException("--device takes auto, cpu or cuda:N, found \"" + text + "\"");
  }
}
