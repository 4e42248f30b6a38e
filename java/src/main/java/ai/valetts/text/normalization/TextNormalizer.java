package ai.valetts.text.normalization;

import java.text.Normalizer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Writes a text out in words, by the rules of one language. What is written out already stays as it is, so a second
 * pass changes nothing. Thread-safe; no text makes it throw.
 */
public final class TextNormalizer {
  /**
   * Changes whenever some text is written out otherwise than before, so that nothing prepared by old rules is reused.
   * Another release of ICU4J is such a change too.
   */
  public static final int VERSION = 6;

  private static final Pattern SPACES = Pattern.compile("\\s+");
  /** Raised figures behind a figure, a bracket or a single letter. Behind a word they point to a note. */
  private static final Pattern POWER =
      Pattern.compile("(?<=[\\p{N})]|(?<![\\p{L}\\p{M}])\\p{L})(?![²³¹](?![⁰¹²³⁴-⁹]))([⁺⁻])?([⁰¹²³⁴-⁹]{1,9})");

  private static final Pattern SPACE_BEFORE_MARK = Pattern.compile(" +(?=[,.;:!?)])");

  /** Marks that stand for nothing that is said, and would be read as noise. */
  private static final String UNSAID = "_|\\^~*`#@<>";

  private static final int MOST_PASSES = 5;

  private static final Map<String, TextNormalizer> BY_LANGUAGE = new ConcurrentHashMap<>();

  private static final Set<String> RULED = Set.of("pt", "en", "es");

  private final List<Rule> rules;

  /** Whether the language's signs have readings, so that one without can be told. */
  private final boolean ownRules;

  private TextNormalizer(String tag) {
    rules = rules(tag);
    ownRules = RULED.contains(tag.split("-", 2)[0]);
  }

  /**
   * The rules for a language: Portuguese, English, Spanish, or numbers alone for others.
   *
   * @param language language tag or espeak-ng voice, e.g. {@code pt-br} or {@code en-us+f3}
   */
  public static TextNormalizer of(String language) {
    return BY_LANGUAGE.computeIfAbsent(tag(language), TextNormalizer::new);
  }

  private static String tag(String language) {
    return language.toLowerCase(Locale.ROOT).replaceFirst("\\+.*", "").replaceFirst("^.*/", "").replace('_', '-');
  }

  private static List<Rule> rules(String tag) {
    return switch (tag.split("-", 2)[0]) {
      case "pt" -> PortugueseRules.all();
      case "en" -> EnglishRules.all(tag);
      case "es" -> SpanishRules.all(tag);
      default -> PlainNumberRules.all(tag);
    };
  }

  /** The text in words. */
  public NormalizedText normalize(String text) {
    Set<String> removed = new LinkedHashSet<>();
    String words = text;
    String before = "";
    // What one rule leaves may be what another reads, in texts that make little sense.
    for (int pass = 0; pass < MOST_PASSES && !words.equals(before); pass++) {
      before = words;
      words = pass(words, removed);
    }
    return new NormalizedText(words, List.copyOf(removed));
  }

  private String pass(String text, Set<String> removed) {
    String words = ownRules ? fold(powers(text)) : text;
    for (Rule rule : rules) {
      words = rule.apply(words);
    }
    return tidy(ownRules ? removeSigns(words, removed) : words);
  }

  private static String tidy(String text) {
    return SPACE_BEFORE_MARK.matcher(SPACES.matcher(text).replaceAll(" ")).replaceAll("").strip();
  }

  private static String powers(String text) {
    return POWER.matcher(text).replaceAll(power -> "^" + ("⁻".equals(power.group(1)) ? "-" : "") 
        + Normalizer.normalize(power.group(2), Normalizer.Form.NFKC));
  }

  /** Brings the many forms of digits, letters and signs that Unicode has to the ones that rules know. */
  static String fold(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints().forEach(c -> fold(c, out));
    return out.toString();
  }

  private static void fold(int c, StringBuilder out) {
    if (Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER) {
      out.append((char) ('0' + Character.digit(c, 10)));
    } else if (c == '\u00b2' || c == '\u00b3' || c == '\u00ba' || c == '\u00aa') {
      out.appendCodePoint(c);
    } else if (c == '\u00b5' || c == '\u03bc') {
      out.append('\u00b5');
    } else if (Character.getType(c) == Character.OTHER_NUMBER) {
      String plain = Normalizer.normalize(Character.toString(c), Normalizer.Form.NFKC).replace('\u2044', '/');
      boolean fraction = plain.indexOf('/') > 0;
      if (fraction && !out.isEmpty() && Character.isDigit(out.charAt(out.length() - 1))) {
        out.append(' ');
      }
      out.append(plain);
    } else if (c >= 0x2010 && c <= 0x2015 || c == 0x2212) {
      out.append('-');
    } else if (c == '\u2044' || c == '\u2215') {
      out.append('/');
    } else if (isWide(c) || Character.getType(c) == Character.LETTER_NUMBER || c >= 0x2100 && c <= 0x214f
        || c >= 0xfb00 && c <= 0xfb06) {
      out.append(Normalizer.normalize(Character.toString(c), Normalizer.Form.NFKC));
    } else {
      out.appendCodePoint(c);
    }
  }

  private static boolean isWide(int c) {
    return c >= 0xff01 && c <= 0xff5e;
  }

  private static String removeSigns(String text, Set<String> removed) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              if (isSign(c)) {
                removed.add(Character.toString(c));
                out.append(' ');
              } else if (!isInvisible(c)) {
                out.appendCodePoint(c);
              }
            });
    return out.toString();
  }

  /** Pictures, skin tones, mathematical and currency signs that no rule has read. */
  private static boolean isSign(int c) {
    return switch (Character.getType(c)) {
      case Character.OTHER_SYMBOL, Character.MATH_SYMBOL, Character.CURRENCY_SYMBOL, Character.MODIFIER_SYMBOL -> c != 0xfffd;
      default -> UNSAID.indexOf(c) >= 0;
    };
  }

  /** What belongs to a picture: variation selectors, the keycap frame and tags. */
  private static boolean isInvisible(int c) {
    return c >= 0xfe00 && c <= 0xfe0f || c == 0x20e3 || c >= 0xe0020 && c <= 0xe007f;
  }
}
