package ai.valetts.text;

import ai.valetts.config.TextConfig;
import ai.valetts.text.normalization.NormalizedText;
import ai.valetts.text.normalization.TextNormalizer;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What comes before sounds and symbols: cleaning, the user's lexicon, and writing out. Phonemes between double brackets
 * pass through untouched. Thread-safe.
 */
final class Wording {
  /** Phonemes in a text, as Piper marks them. */
  static final Pattern PHONEMES = Pattern.compile("\\[\\[(.*?)\\]\\]", Pattern.DOTALL);

  /** Changes whenever the cleaning, the cutting into clauses or the lexicon makes something else of a text. */
  private static final int VERSION = 2;

  private final boolean normalized;
  private final String language;
  private final Lexicon lexicon;

  private Wording(boolean normalized, String language, Lexicon lexicon) {
    this.normalized = normalized;
    this.language = language;
    this.lexicon = lexicon;
  }

  /**
   * @throws TextException if the lexicon cannot be read, naming file and line
   */
  static Wording of(TextConfig config) {
    Lexicon lexicon = config.lexicon() == null ? Lexicon.EMPTY : Lexicon.read(Path.of(config.lexicon()));
    return new Wording(config.isNormalized(), config.language(), lexicon);
  }

  Lexicon lexicon() {
    return lexicon;
  }

  /** The language a null stands for. */
  String language(String requested) {
    return requested == null ? language : requested;
  }

  /**
   * The words of a text.
   *
   * @param requested language; null takes the configuration's
   * @throws TextException if numbers have to be spelled out and this build has no ICU4J
   */
  Words of(String text, String requested) {
    String spoken = language(requested);
    String clean = TextCleaner.clean(text);
    String known = outsidePhonemes(clean, lexicon::apply);
    if (!normalized) {
      return new Words(known, List.of());
    }
    Set<String> removed = new LinkedHashSet<>();
    String words = outsidePhonemes(known, part -> normalize(part, spoken, removed));
    return new Words(words, List.copyOf(removed));
  }

  /** For a voice that another program trained: its text is cleaned by that program's own rules, unless asked. */
  Words asTaught(String text, String requested) {
    return normalized || !lexicon.isEmpty() ? of(text, requested) : new Words(text, List.of());
  }

  private static String normalize(String text, String language, Set<String> removed) {
    if (text.isBlank()) {
      return text;
    }
    try {
      NormalizedText normalizedText = TextNormalizer.of(language).normalize(text);
      removed.addAll(normalizedText.removed());
      // The spaces at both ends separate the words from phonemes beside them.
      String start = Character.isWhitespace(text.charAt(0)) ? " " : "";
      String end = Character.isWhitespace(text.charAt(text.length() - 1)) ? " " : "";
      return start + normalizedText.text() + end;
    } catch (NoClassDefFoundError e) {
      throw new TextException(
          "numbers cannot be spelled out: this build of valetts.jar has no ICU4J; use the full one, or set"
              + " text.normalization to none",
          e);
    }
  }

  private static String outsidePhonemes(String text, UnaryOperator<String> change) {
    Matcher block = PHONEMES.matcher(text);
    StringBuilder out = new StringBuilder();
    int done = 0;
    while (block.find()) {
      out.append(change.apply(text.substring(done, block.start()))).append(block.group());
      done = block.end();
    }
    return out.append(change.apply(text.substring(done))).toString();
  }

  /** What ids depend on besides the program that makes the sounds. */
  String version() {
    return (normalized ? "normalization " + TextNormalizer.VERSION : "no normalization")
        + ", wording "
        + VERSION
        + (lexicon.isEmpty() ? "" : ", lexicon " + lexicon.digest());
  }
}
