package ai.valetts.text.normalization;

import static ai.valetts.text.normalization.Rule.END;
import static ai.valetts.text.normalization.Rule.START;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs of capitals: read as a word, spelled, or said in full. The vocabulary decides where it can, else whether the run
 * has syllables. A text written in capitals throughout is not made of acronyms.
 */
final class Acronyms {
  private static final Pattern SHOUTED = Pattern.compile(START + "\\p{Lu}[\\p{Lu}\\p{M}]++" + END);
  private static final Pattern WORD = Pattern.compile(START + "\\p{L}[\\p{L}\\p{M}]++" + END);
  private static final int LONGEST = 5;

  private final Grammar grammar;
  private final Map<String, String> known;

  Acronyms(Grammar grammar) {
    this.grammar = grammar;
    known = grammar.vocabulary().words("acronym");
  }

  List<Rule> rules() {
    return List.of(
        // "I.B.G.E." and "E.U.A."; "J. K." with spaces are initials.
        Rule.of(START + "\\p{Lu}(?:\\.\\p{Lu}){1,9}+(?:\\.|" + END + ")", this::dotted),
        Rule.of(START + "(?<run>\\p{Lu}[\\p{Lu}&]{1,20})(?<plural>s)?" + END, this::run));
  }

  private String dotted(Found found) {
    String end = found.endsText() && found.all().endsWith(".") ? "." : "";
    return read(found.all().replace(".", ""), "", false) + end;
  }

  private String run(Found found) {
    return read(found.get("run"), found.has("plural") ? "s" : "", isShouted(found));
  }

  /** Whether capitals carry no meaning here: a neighbour is written in capitals too and is no acronym. */
  private boolean isShouted(Found found) {
    return isLoud(found.wordBefore()) || isLoud(found.wordAfter());
  }

  private static String lower(String word) {
    return word.toLowerCase(Locale.ROOT);
  }

  private boolean isLoud(String word) {
    return word.length() > 1
        && word.equals(word.toUpperCase(Locale.ROOT))
        && word.chars().allMatch(Character::isLetter)
        && known.getOrDefault(word, lower(word)).equals(lower(word));
  }

  /** Half of the words or more, and at least two, are in capitals. */
  static boolean isShouting(String text) {
    long loud = count(SHOUTED.matcher(text));
    return loud > 1 && 2 * loud > count(WORD.matcher(text));
  }

  private static long count(Matcher matcher) {
    return matcher.results().count();
  }

  /**
   * @param plural "s" or nothing
   * @param shouted whether unknown runs are plain words
   */
  String read(String run, String plural, boolean shouted) {
    String listed = known.get(run);
    if (listed != null) {
      return listed.equals("*") ? spell(run) + plural : listed + plural;
    }
    if (run.indexOf('&') >= 0) {
      return null;
    }
    boolean asWord = shouted || run.length() > LONGEST || !isAscii(run) || grammar.isPronounceable(run);
    return asWord ? capitalized(run) + plural : spell(run) + plural;
  }

  /** Whether the vocabulary says that a run of capitals is a word. */
  boolean isWord(String run) {
    return !known.getOrDefault(run, "*").equals("*");
  }

  String spell(String run) {
    return grammar.letters(run);
  }

  private static boolean isAscii(String run) {
    return run.chars().allMatch(c -> c < 128);
  }

  private static String capitalized(String run) {
    int first = run.offsetByCodePoints(0, 1);
    return run.substring(0, first) + run.substring(first).toLowerCase(Locale.ROOT);
  }
}
