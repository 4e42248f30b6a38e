package ai.valetts.app;

import ai.valetts.config.TextConfig;
import ai.valetts.text.EncodedText;
import ai.valetts.text.TextException;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import ai.valetts.text.Words;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/** Shows what a model would read of a text. Needs no native core. One thread at a time. */
public final class TextInspection implements AutoCloseable {
  private static final int MOST_SYMBOLS = 10_000;

  private final BiFunction<String, String, Words> wording;
  private final BiFunction<Words, String, EncodedText> sounds;
  private final boolean numbered;
  private final TextFrontEnd opened;
  private final String language;

  /**
   * One text.
   *
   * @param words what is read, written out
   * @param removed pictures and signs that are left out
   * @param phonemes the symbols as text
   * @param ids the symbols' numbers; empty where they depend on recordings
   * @param unknown symbols without a number, with their words; empty if there are none
   */
  public record Reading(String words, List<String> removed, String phonemes, int[] ids, String unknown) {}

  private TextInspection(
      BiFunction<String, String, Words> wording,
      BiFunction<Words, String, EncodedText> sounds,
      boolean numbered,
      TextFrontEnd opened,
      String language) {
    this.wording = wording;
    this.sounds = sounds;
    this.numbered = numbered;
    this.opened = opened;
    this.language = language;
  }

  private static TextInspection ofWords(BiFunction<String, String, Words> wording, String language) {
    return new TextInspection(wording, null, false, null, language);
  }

  private static TextInspection of(TextFrontEnd frontEnd, String language) {
    return new TextInspection(frontEnd::words, frontEnd::read, true, frontEnd, language);
  }

  /**
   * As a new voice would read, with blanks left out. One that reads characters numbers them by the texts of its recordings,
   * so that there are no ids to show.
   *
   * @param frontEnd {@code espeak} or {@code characters}, as {@code text.frontEnd} names them
   * @param lexicon a lexicon file, or null
   * @param wordsOnly whether sounds are not asked for; espeak-ng is not needed then
   * @throws TextException if the language is unknown, the lexicon is faulty or espeak-ng is missing
   */
  public static TextInspection ofLanguage(String frontEnd, String language, Path lexicon, boolean wordsOnly) {
    TextConfig config =
        new TextConfig(frontEnd, language, "full", lexicon == null ? null : lexicon.toString(), false, MOST_SYMBOLS);
    boolean characters = frontEnd.equals("characters");
    if (wordsOnly || characters) {
      TextFrontEnds.requireLanguage(language);
      return new TextInspection(
          TextFrontEnds.words(config, null), wordsOnly ? null : TextFrontEnds.characters(config), false, null, language);
    }
    TextFrontEnds.espeakVersion(problem -> {
      throw new TextException(
          problem + "; --normalized-only shows the words without it, and --front-end characters what a model with"
              + " text.frontEnd: characters reads");
    });
    TextFrontEnd opened = TextFrontEnds.open(config, List::of, notice -> {});
    opened.read(new Words("", List.of()), language);
    return of(opened, language);
  }

  /**
   * As a saved voice reads.
   *
   * @param voice run or checkpoint folder
   * @param speaker whose language is meant; null takes the first
   * @param language null takes the speaker's
   * @param wordsOnly whether sounds are not asked for
   * @param notice told of what a person should know of the voice
   */
  public static TextInspection ofVoice(
      Path voice, String speaker, String language, boolean wordsOnly, Consumer<String> notice) {
    SavedVoice saved = SavedVoice.open(voice, notice);
    String name = speaker == null ? saved.speakers().names().get(0) : Synthesis.speaker(saved, speaker);
    String spoken = language == null ? TrainRun.languageOf(saved.config(), saved.speakers(), name) : language;
    if (wordsOnly) {
      return ofWords(TextFrontEnds.words(VoiceReading.config(saved), saved.symbols()), spoken);
    }
    return of(VoiceReading.open(saved, notice), spoken);
  }

  /** What would be read. Phonemes and ids are empty where only words are asked for. */
  public Reading read(String text) {
    Words words = wording.apply(text, language);
    if (sounds == null) {
      return new Reading(words.text(), words.removed(), "", new int[0], EncodedText.describeUnpaired(words));
    }
    EncodedText encoded = sounds.apply(words, language);
    int[] ids = numbered ? encoded.ids() : new int[0];
    return new Reading(words.text(), words.removed(), encoded.phonemes(), ids, encoded.describeUnknown());
  }

  @Override
  public void close() {
    if (opened != null) {
      opened.close();
    }
  }
}
