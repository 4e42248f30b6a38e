package ai.valetts.text.normalization;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a rule has found, and the words around it. Valid only while the rule reads it. */
final class Found {
  private static final Pattern WORD = Pattern.compile(" ?([\\p{L}\\p{M}\\p{N}]++(?:-\\p{L}++)*+)");

  /** Longest word looked at; a longer run of letters is no noun. */
  private static final int REACH = 40;

  private final Matcher matcher;
  private final String text;

  Found(Matcher matcher, String text) {
    this.matcher = matcher;
    this.text = text;
  }

  /** The whole match. */
  String all() {
    return matcher.group();
  }

  /** A named group; null where it took no part or the rule has none of that name. */
  String get(String group) {
    try {
      return matcher.group(group);
    } catch (IllegalArgumentException unknownGroup) {
      return null;
    }
  }

  int number(String group) {
    return Integer.parseInt(matcher.group(group));
  }

  boolean has(String group) {
    return get(group) != null;
  }

  /** The words right behind the match, up to the first punctuation mark. */
  List<String> wordsAfter(int most) {
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(text).region(matcher.end(), text.length());
    while (words.size() < most && word.lookingAt()) {
      words.add(word.group(1));
      word.region(word.end(), text.length());
    }
    return words;
  }

  /** The next word, or an empty text. */
  String wordAfter() {
    List<String> words = wordsAfter(1);
    return words.isEmpty() ? "" : words.get(0);
  }

  /** The word before the match with at most a space between, or an empty text. */
  String wordBefore() {
    return wordEndingAt(matcher.start());
  }

  /** The word before {@link #wordBefore()}. */
  String secondWordBefore() {
    int end = skipSpaces(matcher.start());
    return wordEndingAt(end - wordEndingAt(matcher.start()).length());
  }

  private String wordEndingAt(int place) {
    int end = skipSpaces(place);
    int start = end;
    while (start > 0 && end - start < REACH && isWordPart(text.charAt(start - 1))) {
      start--;
    }
    return text.substring(start, end);
  }

  private int skipSpaces(int end) {
    return end > 0 && text.charAt(end - 1) == ' ' ? end - 1 : end;
  }

  private static boolean isWordPart(char c) {
    return Character.isLetterOrDigit(c) || c == '-' || Character.getType(c) == Character.NON_SPACING_MARK;
  }

  /** At most so many characters right behind the match. */
  String textAfter(int most) {
    return text.substring(matcher.end(), Math.min(text.length(), matcher.end() + most));
  }

  /** At most so many characters right before the match. */
  String textBefore(int most) {
    return text.substring(Math.max(0, matcher.start() - most), matcher.start());
  }

  /** Whether nothing but white space follows. */
  boolean endsText() {
    int next = matcher.end();
    while (next < text.length() && Character.isWhitespace(text.charAt(next))) {
      next++;
    }
    return next == text.length();
  }

  /** Whether a quotation that began before the match has not ended there. */
  boolean isInQuotes() {
    return text.substring(0, matcher.start()).chars().filter(c -> c == '"').count() % 2 == 1;
  }

  /** Whether white space and then a capital letter follow. */
  boolean precedesCapital() {
    int next = matcher.end();
    while (next < text.length() && text.charAt(next) == ' ') {
      next++;
    }
    return next > matcher.end() && next < text.length() && Character.isUpperCase(text.codePointAt(next));
  }
}
