package ai.valetts.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The steps from text to symbols of VITS and its descendants. Their phonemes come from the Python library phonemizer,
 * which cuts a line at punctuation, has espeak-ng read the pieces, and puts the punctuation back.
 */
final class VitsCleaners {
  /** The espeak-ng voice of the English cleaners. */
  static final String VOICE = "en-us";

  private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  /** One or more of phonemizer's punctuation marks with the white space around them. */
  private static final Pattern MARKS =
      Pattern.compile("(?:\\s*[;:,.!?¡¿—…\"«»“”(){}\\[\\]]+\\s*)+", Pattern.UNICODE_CHARACTER_CLASS);

  private static final Pattern STRESS = Pattern.compile("[ˈˌ'-]+");

  private static final Map<String, String> ABBREVIATIONS =
      Map.ofEntries(
          Map.entry("mrs", "misess"),
          Map.entry("mr", "mister"),
          Map.entry("dr", "doctor"),
          Map.entry("st", "saint"),
          Map.entry("co", "company"),
          Map.entry("jr", "junior"),
          Map.entry("maj", "major"),
          Map.entry("gen", "general"),
          Map.entry("drs", "doctors"),
          Map.entry("rev", "reverend"),
          Map.entry("lt", "lieutenant"),
          Map.entry("hon", "honorable"),
          Map.entry("sgt", "sergeant"),
          Map.entry("capt", "captain"),
          Map.entry("esq", "esquire"),
          Map.entry("ltd", "limited"),
          Map.entry("col", "colonel"),
          Map.entry("ft", "fort"));

  private static final Pattern ABBREVIATION =
      Pattern.compile("\\b(" + String.join("|", ABBREVIATIONS.keySet()) + ")\\.");

  private VitsCleaners() {}

  /**
   * The symbols of a text.
   *
   * @param unknown receives characters that are left out because they have no ASCII spelling
   * @param phonemes what espeak-ng makes of a piece of English text
   */
  static String clean(Reading reading, String text, Set<String> unknown, UnaryOperator<String> phonemes) {
    return switch (reading) {
      case BASIC_CLEANERS -> singleSpaces(text.toLowerCase(Locale.ROOT));
      case ENGLISH_CLEANERS -> singleSpaces(english(text, unknown, line -> unpunctuated(line, phonemes)));
      case ENGLISH_CLEANERS2, ENGLISH_CLEANERS3 ->
          singleSpaces(english(text, unknown, line -> punctuated(line, phonemes)));
      default -> text;
    };
  }

  private static String english(String text, Set<String> unknown, UnaryOperator<String> read) {
    String plain = PlainLatin.spell(text, unknown).toLowerCase(Locale.ROOT);
    String spelled =
        ABBREVIATION.matcher(plain).replaceAll(match -> ABBREVIATIONS.get(match.group(1)));
    List<String> lines = new ArrayList<>();
    for (String line : spelled.strip().split("\n")) {
      if (!line.isBlank()) {
        lines.add(read.apply(line.strip()));
      }
    }
    return String.join("\n", lines);
  }

  private static String unpunctuated(String line, UnaryOperator<String> phonemes) {
    String bare = MARKS.matcher(line).replaceAll(" ").strip();
    return bare.isEmpty() ? "" : STRESS.matcher(tidy(phonemes.apply(bare))).replaceAll("");
  }

  private static String punctuated(String line, UnaryOperator<String> phonemes) {
    StringBuilder read = new StringBuilder();
    Matcher marks = MARKS.matcher(line);
    int start = 0;
    while (marks.find()) {
      append(read, line.substring(start, marks.start()), phonemes);
      read.append(marks.group());
      start = marks.end();
    }
    append(read, line.substring(start), phonemes);
    return read.toString();
  }

  private static void append(StringBuilder read, String piece, UnaryOperator<String> phonemes) {
    if (!piece.isEmpty()) {
      read.append(tidy(phonemes.apply(piece)));
    }
  }

  private static String tidy(String phonemes) {
    return phonemes.strip().replace('\n', ' ').replace("  ", " ");
  }

  private static String singleSpaces(String text) {
    return SPACE.matcher(text).replaceAll(" ");
  }
}
