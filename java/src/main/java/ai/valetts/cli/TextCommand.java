package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.app.TextInspection;
import ai.valetts.config.ConfigException;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** {@code text}: shows the words, sounds and ids that a model would read. */
final class TextCommand implements Command {
  private static final List<String> FRONT_ENDS = List.of("espeak", "characters");

  @Override
  public String name() {
    return "text";
  }

  @Override
  public String summary() {
    return "Show what a model reads of a text: words, phonemes, ids.";
  }

  @Override
  public String arguments() {
    return "[TEXT]";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(RunOptions.value("language", "L", "espeak-ng voice, e.g. pt-br; with --voice: instead of the speaker's"));
    options.addOption(
        RunOptions.value("front-end", "NAME", "espeak, or characters as with text.frontEnd: characters; espeak if not given"));
    options.addOption(RunOptions.value("file", "FILE", "UTF-8 text, line by line; without TEXT and FILE: standard input"));
    options.addOption(RunOptions.flag("normalized-only", "one line of words for each line; needs no espeak-ng"));
    options.addOption(RunOptions.value("lexicon", "FILE", "words and how they are said (docs/text.md)"));
    options.addOption(RunOptions.value("voice", "DIR", "read as this run or checkpoint does, with its lexicon and symbols"));
    options.addOption(RunOptions.value("speaker", "NAME", "with --voice: whose language"));
    return options;
  }

  @Override
  public String notes() {
    return """
        Numbers, dates, amounts, abbreviations and the like are written out first. What has no reading is named on
        standard error, with its line. A text that begins with - and no number goes behind --, after the options.

        Examples:
          valetts text --language pt-br "A conta de R$ 1.234,56 vence em 1/5/2025."
          valetts text --language pt-br --front-end characters "São 2 casas."
          valetts text --voice runs/ana --file lines.txt
          cut -d'|' -f2 metadata.csv | valetts text --language en-us --normalized-only > words.txt
        """;
  }

  @Override
  public ExitCode run(CommandLine line, Terminal terminal) {
    if (!line.hasOption("language") && !line.hasOption("voice")) {
      throw new UsageException("--language is missing, e.g. --language pt-br (or give --voice)");
    }
    if (line.hasOption("voice") && line.hasOption("lexicon")) {
      throw new UsageException("--lexicon does not go with --voice: a voice reads with its own");
    }
    if (line.hasOption("voice") && line.hasOption("front-end")) {
      throw new UsageException("--front-end does not go with --voice: a voice reads with its own");
    }
    if (!FRONT_ENDS.contains(line.getOptionValue("front-end", "espeak"))) {
      throw new UsageException("--front-end takes " + String.join(" or ", FRONT_ENDS)
          + ", found \"" + line.getOptionValue("front-end") + "\"");
    }
    if (line.hasOption("speaker") && !line.hasOption("voice")) {
      throw new UsageException("--speaker goes with --voice");
    }
    if (line.hasOption("file") && !line.getArgList().isEmpty()) {
      throw new UsageException("give either a text or --file");
    }
    try (TextInspection inspection = inspection(line, terminal);
        InputStream in = input(line, terminal)) {
      print(in, origin(line), inspection, line.hasOption("normalized-only"), terminal);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ExitCode.DONE;
  }

  private static TextInspection inspection(CommandLine line, Terminal terminal) {
    boolean wordsOnly = line.hasOption("normalized-only");
    if (!line.hasOption("voice")) {
      Path lexicon = line.hasOption("lexicon") ? Path.of(line.getOptionValue("lexicon")) : null;
      return TextInspection.ofLanguage(
          line.getOptionValue("front-end", "espeak"), line.getOptionValue("language"), lexicon, wordsOnly);
    }
    return TextInspection.ofVoice(
        Path.of(line.getOptionValue("voice")),
        line.getOptionValue("speaker"),
        line.getOptionValue("language"),
        wordsOnly,
        terminal.err()::println);
  }

  private static InputStream input(CommandLine line, Terminal terminal) throws IOException {
    if (!line.getArgList().isEmpty()) {
      return new ByteArrayInputStream(String.join(" ", line.getArgList()).getBytes(StandardCharsets.UTF_8));
    }
    return line.hasOption("file")
        ? new BufferedInputStream(Files.newInputStream(Path.of(line.getOptionValue("file"))))
        : new BufferedInputStream(terminal.in());
  }

  private static String origin(CommandLine line) {
    return line.hasOption("file") ? line.getOptionValue("file") : "standard input";
  }

  private static void print(
      InputStream in, String origin, TextInspection inspection, boolean wordsOnly, Terminal terminal)
      throws IOException {
    Utf8Lines lines = new Utf8Lines(in);
    // A reader that has gone away, as in "| head", ends the work.
    while (lines.next() && !terminal.out().checkError()) {
      if (lines.text() == null) {
        throw new ConfigException(
            origin, List.of("line " + lines.number() + " is not UTF-8 text; convert the file, e.g. with iconv"));
      }
      TextInspection.Reading reading = inspection.read(lines.text());
      if (wordsOnly) {
        terminal.out().println(reading.words());
      } else if (!lines.text().isBlank()) {
        show(lines.text(), reading, terminal);
      }
      String place = origin + ":" + lines.number() + ": ";
      if (!reading.removed().isEmpty()) {
        terminal.err().println(place + "left out, since it has no reading: " + String.join(" ", reading.removed()));
      }
      if (!reading.unknown().isEmpty()) {
        terminal.err().println(place + "there is no symbol for " + reading.unknown());
      }
    }
  }

  private static void show(String text, TextInspection.Reading reading, Terminal terminal) {
    terminal.out().println("text      " + text.strip());
    terminal.out().println("words     " + reading.words());
    terminal.out().println((reading.ids().length == 0 ? "symbols   " : "phonemes  ") + reading.phonemes());
    if (reading.ids().length > 0) {
      terminal.out().println(
          "ids       " + Arrays.stream(reading.ids()).mapToObj(String::valueOf).collect(Collectors.joining(" ")));
    }
    terminal.out().println();
  }
}
