package ai.valetts.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.config.TextConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LexiconTest {
  @TempDir Path folder;

  private Path file(String content) throws IOException {
    Path file = folder.resolve("lexicon.tsv");
    Files.writeString(file, content);
    return file;
  }

  private TextConfig config(String frontEnd, String content) throws IOException {
    return new TextConfig(frontEnd, "pt-br", "full", file(content).toString(), false, 400);
  }

  @Test
  void replacesWholeWordsAndTheLongestEntry() throws IOException {
    Lexicon lexicon = Lexicon.read(file("\ufeffsão paulo\tsampa\r\nsão\tsã\r\n# x\ty\r\n\r\nIT\tai ti\r\n"));
    assertThat(lexicon.apply("São Paulo, são, sãos e SÃO")).isEqualTo("sampa, sã, sãos e sã");
    assertThat(lexicon.apply("IT e it")).isEqualTo("ai ti e it");
    assertThat(lexicon.apply("")).isEmpty();
  }

  @Test
  void isNotAppliedToWhatItSays() throws IOException {
    assertThat(Lexicon.read(file("ana\tana maria\nmaria\tbia")).apply("ana")).isEqualTo("ana maria");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"casa", "casa\t", "\tcasa", "a\tb\tc", "casa\t[[kaza", "casa\tkaza]]", "-x\ty", "casa\ta\ncasa\tb"})
  void namesTheLineThatIsNoEntry(String entries) throws IOException {
    Path file = file("boa\tbôa\n" + entries);
    assertThatThrownBy(() -> Lexicon.read(file))
        .isInstanceOf(TextException.class)
        .hasMessageContaining(file + ":" + (1 + entries.split("\n").length));
  }

  @Test
  void namesAFileThatIsMissingOrNotUtf8() throws IOException {
    assertThatThrownBy(() -> Lexicon.read(folder.resolve("none.tsv")))
        .isInstanceOf(TextException.class)
        .hasMessageContaining("none.tsv");
    Path latin = folder.resolve("latin.tsv");
    Files.write(latin, "não\tnaum".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> Lexicon.read(latin)).hasMessageContaining("latin.tsv is not UTF-8");
  }

  @Test
  void saysPhonemesAsTheyStand() throws IOException {
    assumeTrue(Espeak.load().isPresent(), "espeak-ng is not installed");
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config("espeak", "gmail\t[[dʒimˈeɪl]]"), List::of, n -> {})) {
      EncodedText encoded = frontEnd.encode("Meu Gmail, e só.", null);
      assertThat(encoded.phonemes()).contains(" dʒimˈeɪl, ").endsWith(".");
      assertThat(encoded.words().text()).isEqualTo("Meu [[dʒimˈeɪl]], e só.");
      assertThat(encoded.unknownSymbols()).isEmpty();
    }
  }

  @Test
  void changesTheVersionWithItsContent() throws IOException {
    String first;
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config("characters", "a\tb"), () -> List.of(new SampleText("x", null)), n -> {})) {
      first = frontEnd.version();
      assertThat(new String(frontEnd.lexicon(), StandardCharsets.UTF_8)).isEqualTo("a\tb");
    }
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config("characters", "a\tc"), () -> List.of(new SampleText("x", null)), n -> {})) {
      assertThat(frontEnd.version()).isNotEqualTo(first);
    }
  }

  @Test
  void refusesAPhonemeWithoutASymbol() throws IOException {
    assumeTrue(Espeak.load().isPresent(), "espeak-ng is not installed");
    TextConfig config = config("espeak", "boa\tbôa\nneve\t[[n☃ve]]");
    assertThatThrownBy(() -> TextFrontEnds.open(config, List::of, n -> {}))
        .isInstanceOf(TextException.class)
        .hasMessageContaining("lexicon.tsv:2")
        .hasMessageContaining("U+2603");
  }

  @Test
  void refusesPhonemesWhereCharactersAreRead() throws IOException {
    TextConfig config = config("characters", "neve\t[[nˈɛvi]]");
    assertThatThrownBy(() -> TextFrontEnds.open(config, List::of, n -> {}))
        .isInstanceOf(TextException.class)
        .hasMessageContaining("lexicon.tsv:1")
        .hasMessageContaining("characters");
  }
}
