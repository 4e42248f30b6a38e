package ai.valetts.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.config.TextConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CharacterFrontEndTest {
  private final SymbolTable table = SymbolTable.characters(List.of("abc não, 12!"));

  private CharacterFrontEnd frontEnd(boolean addBlank) {
    return new CharacterFrontEnd(table, Wording.of(new TextConfig("characters", "en-us", addBlank, 100)), addBlank);
  }

  private int id(String symbol) {
    return table.idOf(symbol).orElseThrow();
  }

  @Test
  void decomposesAndLowersCase() {
    EncodedText encoded = frontEnd(false).encode("  NÃO,\u00a0 Bá", null);
    assertThat(encoded.ids())
        .containsExactly(1, id("n"), id("a"), id("\u0303"), id("o"), id(","), id(" "), id("b"), id("a"), 2);
    assertThat(encoded.unknownSymbols()).containsExactly("\u0301");
    assertThat(encoded.phonemeCount()).isEqualTo(5);
  }

  @Test
  void putsBlanksBetweenAllSymbols() {
    assertThat(frontEnd(true).encode("ab", null).ids()).containsExactly(1, 0, id("a"), 0, id("b"), 0, 2);
  }

  @Test
  void composedAndDecomposedTextsAreEqual() {
    assertThat(frontEnd(false).encode("na\u0303o", null).ids())
        .isEqualTo(frontEnd(false).encode("n\u00e3o", null).ids());
  }

  @Test
  void reportsEachUnknownSymbolOnce() {
    EncodedText encoded = frontEnd(false).encode("a☃z☃ 😀_", null);
    assertThat(encoded.unknownSymbols()).containsExactly("☃", "😀", "_", "z");
    assertThat(encoded.phonemes()).isEqualTo("a ");
  }

  @Test
  void hasNoSoundsInPunctuation() {
    assertThat(frontEnd(false).encode(" ,! ", null).phonemeCount()).isZero();
    assertThat(frontEnd(false).encode("", null).ids()).containsExactly(1, 2);
  }

  @Test
  void isChosenOnceAndSaidWhenEspeakIsMissing() {
    List<String> notices = new ArrayList<>();
    TextConfig config = new TextConfig("auto", "en-us", false, 100);
    try (TextFrontEnd chosen =
        TextFrontEnds.choose(config, Optional.empty(), "espeak-ng is absent", () -> List.of(new SampleText("abc", null)), notices::add)) {
      assertThat(chosen.name()).isEqualTo("characters");
      chosen.encode("abc", "en-us");
      chosen.encode("cab", "en-us");
    }
    assertThat(notices).singleElement().asString().contains("espeak-ng is absent", "characters", "apt-get install");
  }

  @Test
  void isNotASilentAnswerToAskingForEspeak() {
    TextConfig config = new TextConfig("espeak", "en-us", false, 100);
    assertThatThrownBy(
            () -> TextFrontEnds.choose(config, Optional.empty(), "it is absent", () -> List.of(new SampleText("abc", null)), n -> {}))
        .isInstanceOf(TextException.class)
        .hasMessageContaining("it is absent")
        .hasMessageContaining("characters");
  }

  @Test
  void readsWithTheTableAVoiceWasTrainedWith() {
    TextConfig config = new TextConfig("espeak", "en-us", false, 100);
    try (TextFrontEnd chosen = TextFrontEnds.open(config, table)) {
      assertThat(chosen.symbols()).isEqualTo(table);
      assertThat(chosen.name()).isEqualTo("characters");
    }
  }
}
