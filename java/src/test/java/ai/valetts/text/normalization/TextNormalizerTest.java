package ai.valetts.text.normalization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextNormalizerTest {
  private static final Map<String, Integer> LEAST_CASES = Map.of("pt-br", 200, "en-us", 60, "es", 60);

  private static String words(String text, String language) {
    return TextNormalizer.of(language).normalize(text).text();
  }

  @TestFactory
  Stream<DynamicNode> writesOut() {
    return LEAST_CASES.keySet().stream()
        .sorted()
        .flatMap(
            language ->
                NormalizationTables.of(language).stream()
                    .collect(Collectors.groupingBy(row -> row.kind(), LinkedHashMap::new, Collectors.toList()))
                    .entrySet()
                    .stream()
                    .map(kind -> dynamicContainer(
                        language + " " + kind.getKey(),
                        kind.getValue().stream().map(row -> dynamicTest(row.line() + ": " + row.text(),
                            () -> assertThat(words(row.text(), language)).isEqualTo(row.words()))))));
  }

  @Test
  void hasEnoughCases() {
    LEAST_CASES.forEach((language, least) ->
        assertThat(NormalizationTables.of(language).stream().map(NormalizationTables.Case::text).distinct().count())
            .as(language)
            .isGreaterThanOrEqualTo(least));
  }

  @TestFactory
  Stream<DynamicNode> leavesAlonePlainWordsAndItsOwnResults() {
    return LEAST_CASES.keySet().stream()
        .flatMap(language -> NormalizationTables.of(language).stream())
        .map(row -> dynamicTest(row.language() + ": " + row.words(),
            () -> assertThat(words(row.words(), row.language())).isEqualTo(row.words())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"pt-br", "en-us", "es", "es-419"})
  void leavesNoDigitOfAnyNumber(String language) {
    Random random = new Random(4);
    for (int i = 0; i < 3000; i++) {
      int digits = 1 + random.nextInt(16);
      long limit = (long) Math.pow(10, digits);
      long number = Math.min(Math.abs(random.nextLong() % limit), 1_000_000_000_000_000L) * (random.nextBoolean() ? 1 : -1);
      String fraction = random.nextInt(3) == 0 ? "," + random.nextInt(100_000) : "";
      String words = words("x " + number + fraction + " y", language);
      assertThat(words).as(number + fraction).doesNotContainPattern("\\d").startsWith("x ").endsWith(" y");
      assertThat(words(words, language)).isEqualTo(words);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pt-br", "en-us", "es", "es-419"})
  void leavesNoDigitOfAnyMixture(String language) {
    String alphabet = "0123456789.,-/:%º ªR$hxkm°()+@#aBcVI";
    Random random = new Random(5);
    for (int i = 0; i < 4000; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(30); length >= 0; length--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      String words = words(text.toString(), language);
      assertThat(words).as(text.toString()).doesNotContainPattern("\\d");
      assertThat(words(words, language)).as(text.toString()).isEqualTo(words);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pt-br", "en-gb", "es", "fr-fr", "ru", "xx", "../.."})
  void takesAnyUnicode(String language) {
    Random random = new Random(6);
    for (int i = 0; i < 2000; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(40); length >= 0; length--) {
        int kind = random.nextInt(4);
        int c = random.nextInt(kind == 0 ? 0x110000 : kind == 1 ? 0x3000 : kind == 2 ? 0x250 : 0x80);
        // Half a surrogate pair is what broken input holds.
        if (c >= 0xd800 && c <= 0xdfff) {
          text.append((char) c);
        } else {
          text.appendCodePoint(c);
        }
      }
      assertThat(words(text.toString(), language)).isNotNull();
    }
  }

  @Test
  void takesHugeTexts() {
    for (String piece : List.of("1", "1.", "a-", "A.", "(", "1/", "1-", "@", "#", "R$ 1 ", "x1", "[[", "1.000", "IV", "9,", ":00", "é")) {
      assertThat(words(piece.repeat(20_000), "pt-br")).isNotNull();
    }
  }

  @Test
  void losesNoWord() {
    Random random = new Random(7);
    List<String> plain = List.of("casa", "três", "pão", "árvore", "José", "e", "não", "guarda-chuva", "às", "para");
    List<String> written = List.of("12", "R$ 5", "14h30", "10%", "2º", "nº", "25/12/2024", "km", "USP", "XXI", "@ana", "5 kg");
    for (int i = 0; i < 500; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = 0; n < 12; n++) {
        List<String> from = random.nextInt(3) == 0 ? written : plain;
        text.append(from.get(random.nextInt(from.size()))).append(' ');
      }
      List<String> words = List.of(words(text.toString(), "pt-br").split(" "));
      for (String word : text.toString().split(" ")) {
        if (plain.contains(word)) {
          assertThat(words).as(text.toString()).contains(word);
        }
      }
    }
  }

  @Test
  void saysWhatItLeavesOut() {
    NormalizedText text = TextNormalizer.of("pt-br").normalize("Bom dia 😀 👍🏽 e ☃ 😀");
    assertThat(text.text()).isEqualTo("Bom dia e");
    assertThat(text.removed()).containsExactly("😀", "👍", "🏽", "☃");
  }

  @Test
  void keepsWhatAnotherCheckMustSee() {
    assertThat(words("bro\ufffdken \ue000 \u0007", "pt-br")).contains("\ufffd", "\ue000", "\u0007");
  }

  @Test
  void followsTheVariantOfALanguage() {
    assertThat(words("1,105", "en-gb")).isEqualTo("one thousand one hundred and five");
    assertThat(words("4/7/2024", "en-gb")).isEqualTo("the fourth of July, twenty twenty-four");
    assertThat(words("4/7/2024", "en-us")).isEqualTo("April seventh, twenty twenty-four");
    assertThat(words("1,234.5", "es-419")).isEqualTo("mil doscientos treinta y cuatro punto cinco");
    assertThat(words("1/5/2023", "es-mx")).isEqualTo("primero de mayo de dos mil veintitrés");
  }

  @Test
  void spellsStandingNumbersOfOtherLanguages() {
    assertThat(words("J'ai 21 ans, et -3,5.", "fr-fr")).isEqualTo("J'ai vingt-et-un ans, et moins trois virgule cinq.");
    assertThat(words("Ho 21 anni.", "it")).isEqualTo("Ho ventuno anni.");
    assertThat(words("21", "cmn")).isEqualTo("二十一");
  }

  @Test
  void leavesToEspeakWhatMoreThanANumberDecides() {
    for (String text : List.of("à 14:30", "le 25/12/2024", "le 1er mai", "5 €", "10 %", "1.234", "A320", "007", "2010-2015")) {
      assertThat(words(text, "fr-fr")).isEqualTo(text);
    }
    assertThat(words("am 21. März um 8", "de")).isEqualTo("am 21. März um acht");
    assertThat(words("Appuyez sur 6. Merci.", "fr-fr")).isEqualTo("Appuyez sur six. Merci.");
    assertThat(words("21 xx 😀", "tlh")).as("no words for this language").isEqualTo("21 xx 😀");
  }

  @ParameterizedTest
  @CsvSource({"pt-br", "PT_BR", "pt", "pt-br+f2", "roa/pt-br"})
  void knowsALanguageByAnyOfItsNames(String language) {
    assertThat(words("21 casas", language)).isEqualTo("vinte e uma casas");
  }
}
