package ai.valetts.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.config.TextConfig;
import java.util.List;
import org.junit.jupiter.api.Test;

class WordingTest {
  private static TextConfig config(String frontEnd, String normalization) {
    return new TextConfig(frontEnd, "pt-br", normalization, null, false, 400);
  }

  @Test
  void writesOutOnlyWhereAsked() {
    assertThat(Wording.of(config("characters", "full")).of("2 casas", null).text()).isEqualTo("duas casas");
    assertThat(Wording.of(config("characters", "none")).of("2 casas", null).text()).isEqualTo("2 casas");
    assertThat(Wording.of(config("characters", null)).of("2 casas", null).text()).isEqualTo("2 casas");
  }

  @Test
  void leavesPhonemesUntouched() {
    Wording wording = Wording.of(config("espeak", "full"));
    assertThat(wording.of("A [[a2 R$ 5]] 2.", null).text()).isEqualTo("A [[a2 R$ 5]] dois.");
    assertThat(wording.of("[[x]][[y]]", null).text()).isEqualTo("[[x]][[y]]");
    assertThat(wording.of("[[x", null).text()).isEqualTo("[[x");
  }

  @Test
  void tellsPhonemesWhoseOtherBracketsAreMissing() {
    TextConfig config = config("characters", "full");
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config, () -> List.of(new SampleText("[[abc.]] é", null)), notice -> {})) {
      assertThat(frontEnd.encode("é [[abc.", null).describeUnknown()).contains("\"[[\" in \"[[abc.\"").contains("[[ and ]]");
      assertThat(frontEnd.encode("é abc]].", null).describeUnknown()).contains("\"]]\" in \"abc]].\"");
      assertThat(frontEnd.encode("é [a] b]", null).unknownSymbols()).doesNotContain("[[", "]]");
    }
    assertThat(new Words("[[a]] b [[c]] [[d e", List.of()).unpairedBrackets()).containsExactly(entry("[[", "[[d"));
    assertThat(new Words("[[a]] b [[c d]]", List.of()).unpairedBrackets()).isEmpty();
    assertThat(new Words("", List.of()).unpairedBrackets()).isEmpty();
  }

  @Test
  void tellsThemBeforeEspeakReadsThemToo() {
    assumeTrue(Espeak.load().isPresent(), "espeak-ng is not installed");
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config("espeak", "full"), List::of, notice -> {})) {
      assertThat(frontEnd.encode("O preço é R$ 5 [[abc.", null).describeUnknown()).contains("\"[[\" in \"[[abc.\"");
      assertThat(frontEnd.encode("O preço é [[abc]].", null).describeUnknown()).isEmpty();
    }
  }

  @Test
  void readsPhonemesInsideClausesAndPunctuationBehind() {
    assumeTrue(Espeak.load().isPresent(), "espeak-ng is not installed");
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config("espeak", "full"), List::of, notice -> {})) {
      assertThat(frontEnd.encode("[[ˈa.b, c]]!", null).phonemes()).isEqualTo("ˈa.b, c!");
      String plain = frontEnd.encode("bom dia", null).phonemes();
      assertThat(frontEnd.encode("bom dia [[tˈu]], bom dia", null).phonemes()).isEqualTo(plain + " tˈu, " + plain);
    }
  }

  @Test
  void namesTheWordOfAnUnknownSymbol() {
    assumeTrue(Espeak.load().isPresent(), "espeak-ng is not installed");
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config("espeak", null), List::of, notice -> {})) {
      assertThat(frontEnd.encode("a casa漢 é [[q☃]]", null).describeUnknown())
          .contains("\"漢\" (U+6F22) in \"casa漢\"")
          .contains("\"☃\" (U+2603) in \"[[q☃]]\"");
    }
  }

  @Test
  void characterTablesKnowTheLettersOfWrittenOutNumbersInEachLanguage() {
    TextConfig config = config("characters", "full");
    List<SampleText> samples = List.of(new SampleText("16 km", null), new SampleText("5", "en-us"));
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config, () -> samples, notice -> {})) {
      EncodedText encoded = frontEnd.encode("16 km, 5", null);
      assertThat(encoded.phonemes()).isEqualTo("dezesseis quilo\u0302metros io");
      assertThat(encoded.unknownSymbols()).containsExactly(",", "c", "n");
      assertThat(frontEnd.encode("5", "en-us").phonemes()).isEqualTo("five");
      assertThat(frontEnd.encode("um [[x]]", null).describeUnknown()).contains("[[x]]");
    }
  }

  @Test
  void refusesWhatIsNoLanguageWithoutEspeakToo() {
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config("characters", "full"), () -> List.of(new SampleText("abc", null)), notice -> {})) {
      assertThatThrownBy(() -> frontEnd.encode("abc", "xx"))
          .isInstanceOf(TextException.class)
          .hasMessageContaining("\"xx\"")
          .hasMessageContaining("such as pt-br, pt, en-us")
          .hasMessageNotContaining("did you mean");
      assertThat(frontEnd.encode("abc", "pt-br").ids()).hasSize(5);
    }
  }

  @Test
  void reportsWhatIsLeftOut() {
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config("characters", "full"), () -> List.of(new SampleText("abc", null)), notice -> {})) {
      EncodedText encoded = frontEnd.encode("abc 😀", null);
      assertThat(encoded.words().removed()).containsExactly("😀");
      assertThat(encoded.unknownSymbols()).isEmpty();
    }
  }
}
