package ai.valetts.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.config.TextConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class EspeakFrontEndTest {

  private static TextFrontEnd open(boolean addBlank) {
    assumeTrue(Espeak.load().isPresent(), "espeak-ng is not installed");
    return TextFrontEnds.open(new TextConfig("espeak", "en-us", addBlank, 400), List::of, notice -> {});
  }

  private static String clauses(String text) {
    return EspeakFrontEnd.clauses(text).stream()
        .map(clause -> clause.text() + "[" + clause.terminator() + "]")
        .collect(Collectors.joining());
  }

  @Test
  void cutsClausesAtPunctuationThatEndsAWord() {
    assertThat(clauses("Hello, world. Fine?")).isEqualTo("Hello[,]world[.]Fine[?]");
    assertThat(clauses("It is 3.5, or 1,000 at 14:30")).isEqualTo("It is 3.5[,]or 1,000 at 14:30[]");
    assertThat(clauses("What?! No... yes")).isEqualTo("What[?]No[.]yes[]");
    assertThat(clauses("...and then")).isEqualTo("and then[]");
    assertThat(clauses("\"Stop!\" he said")).isEqualTo("\"Stop[!]\" he said[]");
    assertThat(clauses("?!,")).isEmpty();
    assertThat(clauses("")).isEmpty();
  }

  @Test
  void dropsLanguageSwitchesAndJoiners() {
    assertThat(EspeakFrontEnd.tidy("prʲivʲˈet (en)wˈɪndəʊz(ru)  t\u200dʃ(en-us)a")).isEqualTo("prʲivʲˈet wˈɪndəʊz tʃa");
  }

  /** The example in piper-phonemize's own test: "ç" must be two symbols. */
  @Test
  void givesTheIdsPiperGives() {
    try (TextFrontEnd frontEnd = open(true)) {
      assertThat(frontEnd.encode("licht!", "de").ids())
          .containsExactly(1, 0, 24, 0, 120, 0, 74, 0, 16, 0, 140, 0, 32, 0, 4, 0, 2);
    }
  }

  @Test
  void keepsPunctuation() {
    try (TextFrontEnd frontEnd = open(false)) {
      EncodedText encoded = frontEnd.encode("Hello, world! How are you?", null);
      assertThat(encoded.phonemes()).isEqualTo("həlˈoʊ, wˈɜːld! hˈaʊ ɑːɹ juː?");
      assertThat(encoded.ids()).hasSize(encoded.phonemes().length() + 2).startsWith(1).endsWith(2);
      assertThat(encoded.phonemeCount()).isEqualTo(16);
    }
  }

  @Test
  void mapsEverySoundOfTheLanguagesWeTrainOn() {
    Map<String, String> texts =
        Map.of(
            "pt-br", "Não há coração tão bom, irmã; põe três pães às quatro e vinte. Avião, ônibus, queijo!",
            "es-419", "El pingüino corrió rápido; mañana será otro día, ¿verdad?",
            "fr-fr", "Le cœur déçu mais l'âme plutôt naïve, un grand brun œuvre à Noël.",
            "it", "Perché gli gnocchi costano così? Quel che è stato è stato.",
            "ru", "Съешь же ещё этих мягких французских булок, да выпей чаю. Выключен Windows.",
            "en-us", "The quick brown fox jumps over 42 lazy dogs; don't worry: it's 3.5 o'clock.");
    try (TextFrontEnd frontEnd = open(false)) {
      texts.forEach(
          (language, text) ->
              assertThat(frontEnd.encode(text, language).unknownSymbols()).as(language).isEmpty());
    }
  }

  @Test
  void findsVoicesByLanguageCode() {
    try (TextFrontEnd frontEnd = open(false)) {
      // "fr-fr" is only among the languages of the voice that Debian calls "fr".
      assertThat(frontEnd.encode("bonjour", "fr-fr").phonemes()).contains("ʒ").doesNotContain("h");
      assertThat(frontEnd.encode("dia", "pt-br").phonemes()).isNotEqualTo(frontEnd.encode("dia", "pt").phonemes());
    }
  }

  @Test
  void namesALanguageThatHasNoVoice() {
    try (TextFrontEnd frontEnd = open(false)) {
      for (String language : List.of("xx", "pt-brr", "", "../../etc")) {
        assertThatThrownBy(() -> frontEnd.encode("hello", language))
            .isInstanceOf(TextException.class)
            .hasMessageContaining("\"" + language + "\"")
            .hasMessageContaining("espeak-ng --voices");
      }
      assertThat(frontEnd.encode("hello", "en-us").phonemes()).isEqualTo("həlˈoʊ");
    }
  }

  @Test
  void reportsWhatEspeakWouldSkipOrGuess() {
    try (TextFrontEnd frontEnd = open(false)) {
      assertThat(frontEnd.encode("snow ☃ here", null).unknownSymbols()).containsExactly("☃");
      assertThat(frontEnd.encode("smile 😀", null).unknownSymbols()).containsExactly("😀");
      assertThat(frontEnd.encode("bro\ufffdken", null).unknownSymbols()).containsExactly("\ufffd");
      assertThat(frontEnd.encode("kanji 漢字", null).unknownSymbols()).containsExactly("漢", "字");
      assertThat(frontEnd.encode("Привет", "pt-br").unknownSymbols()).contains("П", "р");
      assertThat(frontEnd.encode("Привет, Windows", "ru").unknownSymbols()).isEmpty();
      assertThat(frontEnd.encode("não", "pt-br+f2").unknownSymbols()).isEmpty();
      assertThat(frontEnd.encode("so\u00adft hy\u200bphen", null).unknownSymbols()).isEmpty();
    }
  }

  @Test
  void survivesTextWithNothingToSay() {
    try (TextFrontEnd frontEnd = open(false)) {
      for (String text : List.of("", "   ", "...", "\"\"", "!?")) {
        assertThat(frontEnd.encode(text, null).phonemeCount()).as(text).isZero();
      }
    }
  }

  @Test
  void readsLongTextWithoutLosingItsEnd() {
    try (TextFrontEnd frontEnd = open(false)) {
      String end = frontEnd.encode("purple elephant", null).phonemes();
      assertThat(frontEnd.encode("word ".repeat(2000) + "purple elephant", null).phonemes()).endsWith(end);
    }
  }

  @Test
  void givesEachThreadItsOwnLanguage() throws Exception {
    try (TextFrontEnd frontEnd = open(false)) {
      Map<String, String> texts = Map.of("en-us", "machine", "fr-fr", "machine", "it", "machine", "pt-br", "machine");
      Map<String, String> expected =
          texts.keySet().stream().collect(Collectors.toMap(l -> l, l -> frontEnd.encode("machine", l).phonemes()));
      ExecutorService pool = Executors.newFixedThreadPool(4);
      try {
        List<Future<String>> answers = new ArrayList<>();
        List<String> asked = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
          String language = List.copyOf(texts.keySet()).get(i % 4);
          asked.add(language);
          answers.add(pool.submit(() -> frontEnd.encode("machine", language).phonemes()));
        }
        for (int i = 0; i < answers.size(); i++) {
          assertThat(answers.get(i).get()).isEqualTo(expected.get(asked.get(i)));
        }
      } finally {
        pool.shutdownNow();
      }
    }
  }

  @Test
  void saysItsVersion() {
    try (TextFrontEnd frontEnd = open(false)) {
      assertThat(frontEnd.version()).matches("espeak-ng \\d+\\.\\d+.*");
    }
  }
}
