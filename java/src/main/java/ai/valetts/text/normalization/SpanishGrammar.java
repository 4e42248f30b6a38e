package ai.valetts.text.normalization;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Spanish, of Spain or of Latin America. */
final class SpanishGrammar extends Grammar {
  private static final List<NumberSpelling.Scale> SCALES =
      List.of(
          new NumberSpelling.Scale("quintillón", "quintillones", 30),
          new NumberSpelling.Scale("cuatrillón", "cuatrillones", 24),
          new NumberSpelling.Scale("trillón", "trillones", 18));
  private static final String MASCULINE_RULES = "%spellout-cardinal-masculine";
  private static final Pattern FEMININE_ENDING =
      Pattern.compile(".*(?:a|as|ción|ciones|sión|siones|gión|giones|nión|niones|dad|dades|tad|tades|tud|tudes|umbre|umbres)");
  private static final Pattern EITHER_ENDING = Pattern.compile(".*(?:e|es|is|z|l|n|r)");
  private static final Pattern LAST_GROUP = Pattern.compile("^(.*(?:ón|ones) )?(.*)$");
  private static final int NOUN_REACH = 4;

  /** Syllables that Spanish spelling allows; a run of capitals made of them is read as a word. */
  private static final Pattern SYLLABLES =
      Pattern.compile("(?:(?:[BCDFGPT][LR]|CH|LL|QU|[BCDFGHJLMNPRSTVYZÑ])?[AEIOU]{1,2}(?:[DLNRSZ](?![AEIOU]))?){1,6}");

  private final NumberSpellingSource numbers = new NumberSpellingSource("es");
  private final boolean european;
  private final Set<String> feminine;
  private final Set<String> masculine;
  private final Set<String> notNouns;
  private final Set<String> feminineDeterminers;
  private final Set<String> masculineDeterminers;
  private final Set<String> labels;

  SpanishGrammar(Vocabulary vocabulary, boolean european) {
    super(vocabulary, european ? new WrittenNumber.Style('.', ',') : new WrittenNumber.Style(',', '.'));
    this.european = european;
    feminine = vocabulary.set("feminine");
    masculine = vocabulary.set("masculine");
    notNouns = vocabulary.set("not-noun");
    feminineDeterminers = vocabulary.set("feminine-determiner");
    masculineDeterminers = vocabulary.set("masculine-determiner");
    labels = vocabulary.set("label");
  }

  @Override
  String cardinalOrNull(BigInteger number, Gender gender) {
    String rules =
        switch (gender) {
          case NONE -> "%spellout-numbering";
          case MASCULINE -> MASCULINE_RULES;
          case FEMININE -> "%spellout-cardinal-feminine";
        };
    String words = numbers.get().spell(number, rules, MASCULINE_RULES, SCALES, "");
    return gender == Gender.FEMININE && words != null ? feminineHundreds(words) : words;
  }

  /** ICU4J has "doscientos mil personas"; the hundreds of thousands agree too, those of millions do not. */
  private static String feminineHundreds(String words) {
    Matcher groups = LAST_GROUP.matcher(words);
    return groups.matches()
        ? (groups.group(1) == null ? "" : groups.group(1)) + groups.group(2).replace("cientos", "cientas").replace("quinientos", "quinientas")
        : words;
  }

  @Override
  String ordinal(int number, Gender gender) {
    return numbers.get()
        .spell(number, gender == Gender.FEMININE ? "%spellout-ordinal-feminine" : "%spellout-ordinal-masculine")
        .replaceFirst("^una? (?=millon)", "");
  }

  @Override
  String year(String digits) {
    return cardinal(digits, Gender.NONE);
  }

  @Override
  String separator(char sign) {
    return sign == '.' ? "punto" : "coma";
  }

  @Override
  String fraction(String digits) {
    String zeros = digits.replaceFirst("[1-9].*", "");
    String rest = digits.substring(zeros.length());
    if (rest.isEmpty() || digits.length() > 3) {
      return digits(digits);
    }
    return (digits(zeros) + " " + cardinal(rest, Gender.NONE)).strip();
  }

  @Override
  boolean isSingular(WrittenNumber number) {
    return number.isExactly(1);
  }

  /** As in Portuguese, but a number that counts nothing has a form of its own: "uno". */
  @Override
  Gender genderOf(Found found) {
    String before = found.wordBefore().toLowerCase(Locale.ROOT);
    if (labels.contains(before)) {
      return Gender.NONE;
    }
    List<String> words = found.wordsAfter(NOUN_REACH);
    if (words.isEmpty() || notNouns.contains(words.get(0).toLowerCase(Locale.ROOT)) && words.size() < 2) {
      return feminineDeterminers.contains(before) ? Gender.FEMININE : Gender.NONE;
    }
    if (feminineDeterminers.contains(before)) {
      return Gender.FEMININE;
    }
    if (masculineDeterminers.contains(before)) {
      return Gender.MASCULINE;
    }
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i).toLowerCase(Locale.ROOT);
      boolean toAnotherNumber = i + 1 < words.size() && Character.isDigit(words.get(i + 1).charAt(0));
      if (toAnotherNumber && Set.of("a", "y", "o", "hasta").contains(word)) {
        i++;
      } else if (!word.equals("mil")) {
        if (notNouns.contains(word)) {
          return i == 0 ? Gender.NONE : Gender.MASCULINE;
        }
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
    if (masculine.contains(word) || word.matches("(?:m|b|tr)ill(?:ón|ones)")) {
      return Gender.MASCULINE;
    }
    if (FEMININE_ENDING.matcher(word).matches()) {
      return Gender.FEMININE;
    }
    return EITHER_ENDING.matcher(word).matches() ? null : Gender.MASCULINE;
  }

  @Override
  String date(int day, int month, String year) {
    String first = day == 1 && !european ? "primero" : cardinal(String.valueOf(day), Gender.NONE);
    return first + " de " + vocabulary().word("month", String.valueOf(month))
        + (year == null ? "" : " de " + year(year));
  }

  /** In full, as a length of time is said too: "dos horas y treinta minutos". */
  @Override
  String time(int hours, int minutes, int seconds) {
    List<String> parts = new ArrayList<>();
    add(hours, Gender.FEMININE, "hora", parts);
    if (minutes > 0) {
      add(minutes, Gender.MASCULINE, "minuto", parts);
    }
    if (seconds > 0) {
      add(seconds, Gender.MASCULINE, "segundo", parts);
    }
    return join(parts);
  }

  private void add(int count, Gender gender, String noun, List<String> parts) {
    if (count >= 0) {
      parts.add(cardinal(String.valueOf(count), gender) + " " + noun + (count == 1 ? "" : "s"));
    }
  }

  @Override
  boolean isPronounceable(String capitals) {
    return capitals.length() > 2 && SYLLABLES.matcher(capitals).matches();
  }
}
