package ai.valetts.text.normalization;

import com.ibm.icu.text.RuleBasedNumberFormat;
import com.ibm.icu.util.ULocale;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Numbers in words, by ICU4J's rules of a language. ICU4J stops at 10^18; what is larger is put together from its
 * parts, up to the largest scale word. Thread-safe.
 */
final class NumberSpelling {
  private static final BigInteger LIMIT = BigInteger.TEN.pow(18);
  private static final BigInteger THOUSAND = BigInteger.valueOf(1000);
  private static final Map<String, NumberSpelling> BY_LANGUAGE = new ConcurrentHashMap<>();

  private final RuleBasedNumberFormat format;
  private final boolean hasWords;

  private NumberSpelling(String languageTag) {
    ULocale locale = ULocale.forLanguageTag(languageTag);
    format = new RuleBasedNumberFormat(locale, RuleBasedNumberFormat.SPELLOUT);
    hasWords =
        format.getLocale(ULocale.VALID_LOCALE).getLanguage().equals(locale.getLanguage())
            && format.format(7).codePoints().noneMatch(Character::isDigit);
  }

  /** The one instance for a language tag such as {@code pt}. */
  static NumberSpelling of(String languageTag) {
    return BY_LANGUAGE.computeIfAbsent(languageTag, NumberSpelling::new);
  }

  /** Words of a larger number: its name for one and for many, and the power of ten. */
  record Scale(String one, String many, int power) {}

  /**
   * @param ruleSet ICU4J's name, e.g. {@code %spellout-cardinal-feminine}
   */
  synchronized String spell(long number, String ruleSet) {
    // Some languages mark where a word may be broken.
    return format.format(number, ruleSet).replace("\u00ad", "");
  }

  /** By the language's default rules. */
  synchronized String spell(long number) {
    return format.format(number).replace("\u00ad", "");
  }

  /** By the language's default rules, e.g. "trois virgule un quatre". */
  synchronized String spell(double number) {
    return format.format(number).replace("\u00ad", "");
  }

  /** Whether these are the rules of the language that was asked for; ICU4J answers with another's where it has none. */
  boolean hasWords() {
    return hasWords;
  }

  /**
   * @param scaleRuleSet of the count before a scale word
   * @param scales largest first; each the next group above {@code 10^18}
   * @param joiner between a scale word and a last group below one hundred or of whole hundreds
   * @return null if the number is larger than the scales reach
   */
  String spell(BigInteger number, String ruleSet, String scaleRuleSet, List<Scale> scales, String joiner) {
    if (number.compareTo(LIMIT) < 0) {
      return spell(number.longValueExact(), ruleSet);
    }
    List<String> parts = new ArrayList<>();
    BigInteger rest = number;
    for (Scale scale : scales) {
      BigInteger[] split = rest.divideAndRemainder(BigInteger.TEN.pow(scale.power));
      if (split[0].compareTo(LIMIT) >= 0) {
        return null;
      }
      if (split[0].signum() > 0) {
        parts.add(
            spell(split[0].longValueExact(), scaleRuleSet)
                + " "
                + (split[0].equals(BigInteger.ONE) ? scale.one : scale.many));
      }
      rest = split[1];
    }
    if (rest.signum() > 0) {
      boolean small = rest.compareTo(THOUSAND) < 0 && (rest.intValue() < 100 || rest.intValue() % 100 == 0);
      parts.add((small ? joiner : "") + spell(rest.longValueExact(), ruleSet));
    }
    return String.join(" ", parts);
  }
}
