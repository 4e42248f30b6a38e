package ai.valetts.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.app.ExitCode;
import ai.valetts.text.TextFrontEnds;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextCommandTest {
  @TempDir Path folder;

  private final ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
  private final ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
  private byte[] input = {};

  private ExitCode run(String... arguments) {
    Terminal terminal =
        new Terminal(
            new ByteArrayInputStream(input),
            new PrintStream(outBytes, true, StandardCharsets.UTF_8),
            new PrintStream(errBytes, true, StandardCharsets.UTF_8),
            () -> {
              throw new AssertionError("the engine was asked for");
            });
    return new CommandLineInterface(terminal).run(arguments);
  }

  private void pipe(String text) {
    input = text.getBytes(StandardCharsets.UTF_8);
  }

  private String out() {
    return outBytes.toString(StandardCharsets.UTF_8);
  }

  private String err() {
    return errBytes.toString(StandardCharsets.UTF_8);
  }

  private static void needsEspeak() {
    assumeTrue(TextFrontEnds.espeakVersion(problem -> {}).isPresent(), "espeak-ng is not installed");
  }

  @Test
  void showsWordsPhonemesAndIds() {
    needsEspeak();
    assertThat(run("text", "--language", "pt-br", "São 2 casas.")).isEqualTo(ExitCode.DONE);
    assertThat(out().lines())
        .hasSize(5)
        .satisfies(lines -> {
          assertThat(lines.get(0)).isEqualTo("text      São 2 casas.");
          assertThat(lines.get(1)).isEqualTo("words     São duas casas.");
          assertThat(lines.get(2)).startsWith("phonemes  s").endsWith(".");
          assertThat(lines.get(3)).matches("ids       1( \\d+)+ 2");
          assertThat(lines.get(4)).isEmpty();
        });
    assertThat(err()).isEmpty();
  }

  @Test
  void writesOneLineForEachLine() {
    pipe("\ufeffSão 2\r\n\r\n  R$ 5,00  \nfim 😀");
    assertThat(run("text", "--language", "pt-br", "--normalized-only")).isEqualTo(ExitCode.DONE);
    assertThat(out()).isEqualTo(String.format("São dois%n%ncinco reais%nfim%n"));
    assertThat(err()).isEqualTo(String.format("standard input:4: left out, since it has no reading: 😀%n"));
  }

  @Test
  void readsAFile() throws IOException {
    Path file = folder.resolve("lines.txt");
    Files.writeString(file, "10 km\n20 km\n");
    assertThat(run("text", "--language", "pt-br", "--file", file.toString(), "--normalized-only"))
        .isEqualTo(ExitCode.DONE);
    assertThat(out().lines()).containsExactly("dez quilômetros", "vinte quilômetros");
  }

  @Test
  void namesTheLineThatIsNotUtf8() {
    input = new byte[] {'a', '\n', 'b', '\n', (byte) 0xe3, 'c', '\n', 'd'};
    assertThat(run("text", "--language", "pt-br", "--normalized-only")).isEqualTo(ExitCode.USAGE);
    assertThat(out().lines()).containsExactly("a", "b");
    assertThat(err()).contains("standard input", "line 3 is not UTF-8");
  }

  @Test
  void hasNothingToSayAboutNothing() {
    assertThat(run("text", "--language", "pt-br", "--normalized-only")).isEqualTo(ExitCode.DONE);
    assertThat(out()).isEmpty();
  }

  @Test
  void usesALexicon() throws IOException {
    Path lexicon = folder.resolve("words.tsv");
    Files.writeString(lexicon, "# own\nval\tvale\nUSP\tu ésse pê\n");
    assertThat(run("text", "--language", "pt-br", "--normalized-only", "--lexicon", lexicon.toString(), "VAL da USP"))
        .isEqualTo(ExitCode.DONE);
    assertThat(out().strip()).isEqualTo("vale da u ésse pê");
  }

  @Test
  void namesAPhonemeWithoutASymbol() {
    needsEspeak();
    assertThat(run("text", "--language", "pt-br", "a [[t☃]] b")).isEqualTo(ExitCode.DONE);
    assertThat(err()).contains("standard input:1", "\"☃\" (U+2603)", "[[t☃]]");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-5 graus", "-5", "-.5", "-1/2"})
  void takesATextThatBeginsWithANegativeNumber(String text) {
    assertThat(run("text", text, "--language", "pt-br", "--normalized-only")).isEqualTo(ExitCode.DONE);
    assertThat(out()).startsWith("menos ");
    assertThat(run("text", "--language", "pt-br", "--normalized-only", text)).isEqualTo(ExitCode.DONE);
    assertThat(run("text", "--language", "pt-br", "--normalized-only", "--", text)).isEqualTo(ExitCode.DONE);
    assertThat(out().lines().distinct()).hasSize(1);
    assertThat(run("text", "--language", "pt-br", text, "casa")).isEqualTo(ExitCode.USAGE);
    assertThat(run("text", "--language", "pt-br", "-x5")).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void namesPhonemesThatNobodyClosed() {
    assertThat(run("text", "--language", "pt-br", "--normalized-only", "O preço é R$ 5 [[abc.")).isEqualTo(ExitCode.DONE);
    assertThat(err()).contains("standard input:1", "\"[[\" in \"[[abc.\"");
  }

  @Test
  void refusesAnUnknownLanguageWithTheNearest() {
    assertThat(run("text", "--language", "portuguese", "--normalized-only", "oi")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("\"portuguese\"", "did you mean pt");
    needsEspeak();
    assertThat(run("text", "--language", "pt-brr", "oi")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("\"pt-brr\"", "did you mean pt-br?");
  }

  @Test
  void guessesNoLanguageWhereNoneIsNear() {
    assertThat(run("text", "--language", "klingon", "--normalized-only", "oi")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("\"klingon\"").doesNotContain("did you mean");
    needsEspeak();
    errBytes.reset();
    assertThat(run("text", "--language", "xx", "oi")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("no voice for the language \"xx\". List what it has").doesNotContain("did you mean");
  }

  @Test
  void showsCharactersWithoutEspeakAndWithoutNumbers() {
    pipe("São 2.\n\n[[k]] x\n");
    assertThat(run("text", "--language", "pt-br", "--front-end", "characters")).isEqualTo(ExitCode.DONE);
    assertThat(out().lines())
        .containsExactly(
            "text      São 2.", "words     São dois.", "symbols   sa\u0303o dois.", "",
            "text      [[k]] x", "words     [[k]] x", "symbols   x", "");
    assertThat(err()).contains("standard input:3: there is no symbol for").contains("[[k]]");
    assertThat(run("text", "--language", "pt-br", "--front-end", "letters", "oi")).isEqualTo(ExitCode.USAGE);
    assertThat(run("text", "--voice", "x", "--front-end", "characters", "oi")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("takes espeak or characters, found \"letters\"", "--front-end does not go with --voice");
  }

  @Test
  void explainsOptionsThatDoNotGoTogether() {
    assertThat(run("text", "oi")).isEqualTo(ExitCode.USAGE);
    assertThat(run("text", "--language", "es", "--speaker", "ana", "oi")).isEqualTo(ExitCode.USAGE);
    assertThat(run("text", "--language", "es", "--file", "x", "oi")).isEqualTo(ExitCode.USAGE);
    assertThat(run("text", "--voice", "x", "--lexicon", "y", "oi")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("--language is missing", "--speaker goes with", "either a text or --file", "with its own");
  }

  @Test
  void namesAMissingFile() {
    assertThat(run("text", "--language", "es", "--normalized-only", "--file", "nowhere.txt")).isEqualTo(ExitCode.DISK);
    assertThat(err()).contains("nowhere.txt: there is no such file");
  }
}
