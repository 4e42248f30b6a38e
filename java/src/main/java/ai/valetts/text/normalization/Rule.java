package ai.valetts.text.normalization;

import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One kind of thing that is written otherwise than it is read.
 *
 * @param pattern what it looks like
 * @param reading what takes its place, or null to leave it as it stands
 * @param needsDigit whether a text without digits need not be searched
 */
record Rule(Pattern pattern, Function<Found, String> reading, boolean needsDigit) {
  /** No letter, mark or digit before. */
  static final String START = "(?<![\\p{L}\\p{M}\\p{N}])";

  /** No letter, mark or digit behind. */
  static final String END = "(?![\\p{L}\\p{M}\\p{N}])";

  /** A sign, not a dash between words or numbers. */
  static final String MINUS = "(?<minus>(?<![\\p{L}\\p{M}\\p{N})])-)?";

  static Rule of(String pattern, Function<Found, String> reading) {
    return new Rule(Pattern.compile(pattern), reading, false);
  }

  /** A rule that does not care about capitals. */
  static Rule ofAnyCase(String pattern, Function<Found, String> reading) {
    return new Rule(Pattern.compile(pattern, Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE), reading, false);
  }

  /** The same rules, for texts with digits alone. */
  static List<Rule> forDigits(List<Rule> rules) {
    return rules.stream().map(rule -> new Rule(rule.pattern, rule.reading, true)).toList();
  }

  String apply(String text) {
    if (needsDigit && text.chars().noneMatch(c -> c >= '0' && c <= '9')) {
      return text;
    }
    Matcher matcher = pattern.matcher(text);
    StringBuilder out = new StringBuilder(text.length() + 64);
    int done = 0;
    while (matcher.find()) {
      String words = reading.apply(new Found(matcher, text));
      if (words == null) {
        continue;
      }
      out.append(text, done, matcher.start());
      // A reading must never melt into its neighbours: "10km" is two words.
      if (glues(last(out), first(words))) {
        out.append(' ');
      }
      out.append(words);
      done = matcher.end();
      if (done < text.length() && glues(last(out), text.codePointAt(done))) {
        out.append(' ');
      }
    }
    return done == 0 && out.isEmpty() ? text : out.append(text, done, text.length()).toString();
  }

  private static int last(CharSequence text) {
    return text.length() == 0 ? ' ' : Character.codePointBefore(text, text.length());
  }

  private static int first(String text) {
    return text.isEmpty() ? ' ' : text.codePointAt(0);
  }

  private static boolean glues(int left, int right) {
    return Character.isLetterOrDigit(left) && Character.isLetterOrDigit(right);
  }
}
