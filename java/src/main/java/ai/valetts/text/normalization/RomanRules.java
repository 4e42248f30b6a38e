package ai.valetts.text.normalization;

import static ai.valetts.text.normalization.Rule.END;
import static ai.valetts.text.normalization.Rule.START;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Roman numerals where a word beside them says that they are numerals. */
final class RomanRules {
  /** Well-formed numerals up to 3,999; the empty text is excluded by the rules. */
  private static final String NUMERAL = "(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})";
  private static final Pattern WELL_FORMED = Pattern.compile(NUMERAL);
  private static final int LAST_ORDINAL = 10;

  /** "I, II and III". */
  private static final Pattern LIST = Pattern.compile("(?:,| e| y| and| a| to) (?:[IVX]{2,5})" + END);

  private static final int LONGEST_LINK = 12;

  private final Grammar grammar;
  private final Map<String, String> rulers;
  private final Set<String> before;
  private final Map<String, String> after;

  RomanRules(Grammar grammar) {
    this.grammar = grammar;
    rulers = grammar.vocabulary().words("ruler");
    before = grammar.vocabulary().set("numeral-after");
    after = grammar.vocabulary().words("numeral-before");
  }

  List<Rule> rules() {
    return List.of(
        Rule.of(START + "(?<!\\.)(?<numeral>" + NUMERAL + ")" + END + "(?!['’](?!s" + END + ")|\\.\\p{L})", this::read));
  }

  private String read(Found found) {
    String numeral = found.get("numeral");
    int value = value(numeral);
    String previous = found.wordBefore();
    String ruler = rulers.get(previous);
    if (ruler != null) {
      return ruler(value, Gender.of(ruler));
    }
    if (before.contains(previous.toLowerCase(Locale.ROOT))) {
      return part(value, previous.toLowerCase(Locale.ROOT));
    }
    String next = after.get(found.wordAfter().toLowerCase(Locale.ROOT));
    if (next != null) {
      return grammar.ordinal(value, Gender.of(next));
    }
    if (numeral.matches("[IVX]") && LIST.matcher(found.textAfter(LONGEST_LINK)).lookingAt()) {
      return grammar.cardinal(String.valueOf(value), Gender.NONE);
    }
    if (numeral.matches("M[IVXLCDM]{3,}")) {
      return grammar.year(String.valueOf(value));
    }
    // Two or more of I, V and X make no other word.
    return numeral.length() > 1 && numeral.matches("[IVX]+") && !Acronyms.isShouting(previous + " " + found.wordAfter())
        ? grammar.cardinal(String.valueOf(value), Gender.NONE)
        : null;
  }

  /** "Pedro segundo", "Luís catorze"; in English always "the second". */
  private String ruler(int value, Gender gender) {
    String article = grammar.word("ruler-article");
    if (!article.isEmpty()) {
      return article + " " + grammar.ordinal(value, gender);
    }
    return value <= LAST_ORDINAL
        ? grammar.ordinal(value, gender)
        : grammar.cardinal(String.valueOf(value), Gender.NONE);
  }

  private String part(int value, String noun) {
    boolean ordinal = value <= LAST_ORDINAL && grammar.vocabulary().set("numeral-after-ordinal").contains(noun);
    return ordinal
        ? grammar.ordinal(value, grammar.vocabulary().set("feminine-part").contains(noun) ? Gender.FEMININE : Gender.MASCULINE)
        : grammar.cardinal(String.valueOf(value), Gender.NONE);
  }

  static boolean isNumeral(String text) {
    return !text.isEmpty() && WELL_FORMED.matcher(text).matches();
  }

  private static int value(String numeral) {
    int total = 0;
    for (int i = 0; i < numeral.length(); i++) {
      int digit = digit(numeral.charAt(i));
      total += i + 1 < numeral.length() && digit < digit(numeral.charAt(i + 1)) ? -digit : digit;
    }
    return total;
  }

  private static int digit(char letter) {
    return switch (letter) {
      case 'I' -> 1;
      case 'V' -> 5;
      case 'X' -> 10;
      case 'L' -> 50;
      case 'C' -> 100;
      case 'D' -> 500;
      default -> 1000;
    };
  }
}
