package ai.valetts.text.normalization;

import static ai.valetts.text.normalization.Rule.END;

import java.util.List;
import java.util.Set;

/**
 * Numbers that stand alone, for languages without rules of their own. What touches another sign, such as an hour, a
 * date, a price or an ordinal ("21. März"), is left to espeak-ng, which knows more of the language than its numbers.
 */
final class PlainNumberRules {
  private static final String BEFORE = "(?<![\\p{L}\\p{M}\\p{N}.,:/$€£#+°º-])(?<minus>-)?";
  private static final String BEHIND = END + "(?![.,:/'-]?[\\p{L}\\p{N}]| ?[%°€$£])";

  /** Where a dot behind a number makes it an ordinal. */
  private static final Set<String> DOT_ORDINALS =
      Set.of("de", "da", "nb", "nn", "no", "fi", "et", "lv", "cs", "sk", "pl", "hu", "hr", "sr", "bs", "sl", "tr", "is", "lb");


  private PlainNumberRules() {}

  /** They find nothing to do where ICU4J has no words for the language. */
  static List<Rule> all(String tag) {
    String ordinal = DOT_ORDINALS.contains(tag.split("-", 2)[0]) ? "(?!\\. *\\S)" : "";
    return Rule.forDigits(List.of(
        Rule.of(BEFORE + "(?<number>0|[1-9]\\d{0,14})(?:[.,](?<fraction>\\d{1,2}|\\d{4,6}))?" + BEHIND + ordinal, found -> {
          // espeak-ng's name of Mandarin, and ICU4J's.
          NumberSpelling numbers = NumberSpelling.of(tag.replaceFirst("^cmn", "zh"));
          if (!numbers.hasWords()) {
            return null;
          }
          String digits = found.get("number") + (found.has("fraction") ? "." + found.get("fraction") : "");
          String sign = found.has("minus") ? "-" : "";
          return found.has("fraction")
              ? numbers.spell(Double.parseDouble(sign + digits))
              : numbers.spell(Long.parseLong(sign + digits));
        })));
  }
}
