package ai.valetts.text;

import ai.valetts.config.TextConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Chooses how text is read. */
public final class TextFrontEnds {
  private TextFrontEnds() {}

  /**
   * The front end for a new run.
   *
   * @param texts the data set's texts, asked for only when characters are read
   * @param notice told once, when {@code auto} has to do without espeak-ng
   * @throws TextException if {@code espeak} is asked for and missing
   */
  public static TextFrontEnd open(
      TextConfig config, Supplier<? extends Iterable<SampleText>> texts, Consumer<String> notice) {
    Optional<Espeak> espeak = config.frontEnd().equals("characters") ? Optional.empty() : Espeak.load();
    return choose(config, espeak, Espeak.failure(), texts, notice);
  }

  static TextFrontEnd choose(
      TextConfig config,
      Optional<Espeak> espeak,
      String failure,
      Supplier<? extends Iterable<SampleText>> texts,
      Consumer<String> notice) {
    Wording wording = Wording.of(config);
    if (espeak.isPresent()) {
      return new EspeakFrontEnd(espeak.get(), SymbolTable.piper(), wording, config.addBlank());
    }
    if (config.frontEnd().equals("espeak")) {
      throw new TextException(
          "text.frontEnd is espeak, but "
              + failure
              + "; "
              + Espeak.INSTALL_HINT
              + ", or set text.frontEnd to characters");
    }
    if (config.frontEnd().equals("auto")) {
      notice.accept(
          failure
              + ": text is read by its characters, which learns pronunciation more slowly; "
              + Espeak.INSTALL_HINT);
    }
    List<String> words = new ArrayList<>();
    texts.get().forEach(sample ->
        words.add(Wording.PHONEMES.matcher(wording.of(sample.text(), sample.language()).text()).replaceAll(" ")));
    return new CharacterFrontEnd(SymbolTable.characters(words), wording, config.addBlank());
  }

  /**
   * The front end for a voice that was trained with the given table, whatever {@code text.frontEnd} says now.
   *
   * @throws TextException if the voice reads phonemes and espeak-ng is missing
   */
  public static TextFrontEnd open(TextConfig config, SymbolTable saved) {
    if (saved.kind().equals(SymbolTable.CHARACTERS)) {
      return new CharacterFrontEnd(saved, Wording.of(config), config.addBlank());
    }
    Reading reading = saved.reading();
    if (reading != null && !reading.needsEspeak()) {
      return imported(null, config, saved);
    }
    Espeak espeak =
        Espeak.load()
            .orElseThrow(
                () ->
                    new TextException(
                        "this voice was trained on espeak-ng phonemes, but "
                            + Espeak.failure()
                            + "; "
                            + Espeak.INSTALL_HINT));
    return reading == null
        ? new EspeakFrontEnd(espeak, saved, Wording.of(config), config.addBlank())
        : imported(espeak, config, saved);
  }

  private static TextFrontEnd imported(Espeak espeak, TextConfig config, SymbolTable saved) {
    return saved.reading().isPiper()
        ? new PiperFrontEnd(espeak, saved, Wording.of(config), config.addBlank())
        : new VitsFrontEnd(espeak, saved, Wording.of(config), config.addBlank());
  }

  /**
   * The words of a text in a language, without any front end: nothing has to be installed.
   *
   * @param saved the table of the voice that is to read, or null for a new one
   */
  public static BiFunction<String, String, Words> words(TextConfig config, SymbolTable saved) {
    Wording wording = Wording.of(config);
    return saved != null && saved.reading() != null ? wording::asTaught : wording::of;
  }

  /** The characters that a new voice would read of words, numbered by these words alone. */
  public static BiFunction<Words, String, EncodedText> characters(TextConfig config) {
    Wording wording = Wording.of(config);
    return (words, language) -> {
      String letters = Wording.PHONEMES.matcher(words.text()).replaceAll(" ");
      SymbolTable symbols = SymbolTable.characters(List.of(letters));
      return new CharacterFrontEnd(symbols, wording, config.addBlank()).read(words, language);
    };
  }

  /**
   * Refuses what is no language, where no espeak-ng does.
   *
   * @throws TextException naming the nearest language
   */
  public static void requireLanguage(String language) {
    Languages.require(language);
  }

  /** Release of espeak-ng on this machine, or empty with the reason given to {@code problem}. */
  public static Optional<String> espeakVersion(Consumer<String> problem) {
    Optional<Espeak> espeak = Espeak.load();
    if (espeak.isEmpty()) {
      problem.accept(Espeak.failure() + "; " + Espeak.INSTALL_HINT);
    }
    return espeak.map(Espeak::version);
  }
}
