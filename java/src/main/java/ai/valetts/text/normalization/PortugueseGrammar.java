package ai.valetts.text.normalization;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** Brazilian Portuguese. */
final class PortugueseGrammar extends Grammar {
  private static final String MASCULINE_RULES = "%spellout-cardinal-masculine";
  private static final List<NumberSpelling.Scale> SCALES =
      List.of(
          new NumberSpelling.Scale("decilhão", "decilhões", 33),
          new NumberSpelling.Scale("nonilhão", "nonilhões", 30),
          new NumberSpelling.Scale("octilhão", "octilhões", 27),
          new NumberSpelling.Scale("septilhão", "septilhões", 24),
          new NumberSpelling.Scale("sextilhão", "sextilhões", 21),
          new NumberSpelling.Scale("quintilhão", "quintilhões", 18));
  private static final Set<String> SCALE_NAMES =
      Set.of("milhão", "milhões", "bilhão", "bilhões", "trilhão", "trilhões", "mi", "bi", "tri");
  private static final Pattern FEMININE_ENDING =
      Pattern.compile(".*(?:a|as|ã|ãs|ção|ções|ssão|ssões|nsão|nsões|gião|giões|nião|niões|dade|dades|gem|gens|tude|tudes|eza|ice|ices|[áéíóú]\\p{L}{1,2}ies?)");
  private static final Pattern EITHER_ENDING = Pattern.compile(".*(?:e|es|is|ns|z|m)");
  private static final int NOUN_REACH = 5;

  /** Syllables that Portuguese spelling allows; a run of capitals made of them is read as a word. */
  private static final Pattern SYLLABLES =
      Pattern.compile("(?:(?:[BCDFGPTV][LR]|[CLN]H|QU|GU|[BCDFGJLMNPRSTVXZ])?[AEIOU]{1,2}(?:[LMNRSZX](?![AEIOU]))?){1,6}");

  private final NumberSpellingSource numbers = new NumberSpellingSource("pt");
  private final Set<String> feminine;
  private final Set<String> masculine;
  private final Set<String> notNouns;
  private final Set<String> feminineDeterminers;
  private final Set<String> masculineDeterminers;
  private final Set<String> labels;

  PortugueseGrammar(Vocabulary vocabulary) {
    super(vocabulary, new WrittenNumber.Style('.', ','));
    feminine = vocabulary.set("feminine");
    masculine = vocabulary.set("masculine");
    notNouns = vocabulary.set("not-noun");
    feminineDeterminers = vocabulary.set("feminine-determiner");
    masculineDeterminers = vocabulary.set("masculine-determiner");
    labels = vocabulary.set("label");
  }

  @Override
  String cardinalOrNull(BigInteger number, Gender gender) {
    String rules = gender == Gender.FEMININE ? "%spellout-cardinal-feminine" : MASCULINE_RULES;
    return numbers.get().spell(number, rules, MASCULINE_RULES, SCALES, "e ");
  }

  @Override
  String ordinal(int number, Gender gender) {
    return numbers.get()
        .spell(number, gender == Gender.FEMININE ? "%spellout-ordinal-feminine" : "%spellout-ordinal-masculine")
        .replaceFirst("^uma? (?=milion)", "");
  }

  @Override
  String year(String digits) {
    return cardinal(digits, Gender.MASCULINE);
  }

  @Override
  String separator(char sign) {
    return sign == '.' ? "ponto" : "vírgula";
  }

  /** "vírgula vinte e cinco", "vírgula zero cinco"; more than three digits one by one. */
  @Override
  String fraction(String digits) {
    String zeros = digits.replaceFirst("[1-9].*", "");
    String rest = digits.substring(zeros.length());
    if (rest.isEmpty() || digits.length() > 3) {
      return digits(digits);
    }
    return (digits(zeros) + " " + cardinal(rest, Gender.MASCULINE)).strip();
  }

  /** Plural begins with two: "1,5 litro". Nothing at all is many: "zero reais". */
  @Override
  boolean isSingular(WrittenNumber number) {
    return number.isBelowTwo() && !number.isExactly(0);
  }

  /**
   * By the article before the number, else by the noun behind it: its ending, unless the vocabulary knows better. An
   * adjective that may be either leaves the answer to the next word.
   */
  @Override
  Gender genderOf(Found found) {
    String before = found.wordBefore().toLowerCase(Locale.ROOT);
    if (feminineDeterminers.contains(before)) {
      return Gender.FEMININE;
    }
    if (masculineDeterminers.contains(before) || labels.contains(before)) {
      return Gender.MASCULINE;
    }
    List<String> words = found.wordsAfter(NOUN_REACH);
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i).toLowerCase(Locale.ROOT);
      boolean toAnotherNumber = i + 1 < words.size() && Character.isDigit(words.get(i + 1).charAt(0));
      if (toAnotherNumber && Set.of("a", "e", "ou", "até").contains(word)) {
        i++;
      } else if (!word.equals("mil")) {
        Gender gender = genderOf(word);
        if (gender != null) {
          return gender;
        }
      }
    }
    return Gender.MASCULINE;
  }

  /** Null where the next word decides. */
  private Gender genderOf(String word) {
    if (feminine.contains(word)) {
      return Gender.FEMININE;
    }
    if (masculine.contains(word) || notNouns.contains(word) || SCALE_NAMES.contains(word)) {
      return Gender.MASCULINE;
    }
    if (FEMININE_ENDING.matcher(word).matches()) {
      return Gender.FEMININE;
    }
    return EITHER_ENDING.matcher(word).matches() ? null : Gender.MASCULINE;
  }

  @Override
  String date(int day, int month, String year) {
    String first = day == 1 ? "primeiro" : cardinal(String.valueOf(day), Gender.MASCULINE);
    return first + " de " + vocabulary().word("month", String.valueOf(month))
        + (year == null ? "" : " de " + year(year));
  }

  @Override
  String time(int hours, int minutes, int seconds) {
    List<String> parts = new ArrayList<>();
    if (hours >= 0) {
      parts.add(cardinal(String.valueOf(hours), Gender.FEMININE) + (hours < 2 ? " hora" : " horas"));
    }
    if (minutes > 0) {
      parts.add(cardinal(String.valueOf(minutes), Gender.MASCULINE) + (minutes == 1 ? " minuto" : " minutos"));
    }
    if (seconds > 0) {
      parts.add(cardinal(String.valueOf(seconds), Gender.MASCULINE) + (seconds == 1 ? " segundo" : " segundos"));
    }
    return join(parts);
  }

  @Override
  boolean isPronounceable(String capitals) {
    return capitals.length() > 2 && SYLLABLES.matcher(capitals).matches();
  }
}
