package ai.valetts.text.normalization;

import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** What rules ask of a language. Thread-safe. */
abstract class Grammar {
  private final Vocabulary vocabulary;
  private final WrittenNumber.Style style;

  Grammar(Vocabulary vocabulary, WrittenNumber.Style style) {
    this.vocabulary = vocabulary;
    this.style = style;
  }

  final Vocabulary vocabulary() {
    return vocabulary;
  }

  final WrittenNumber.Style style() {
    return style;
  }

  /** Digits of a whole number as words; null if it is too large for words. */
  abstract String cardinalOrNull(java.math.BigInteger number, Gender gender);

  /** "first", "primeira". */
  abstract String ordinal(int number, Gender gender);

  /** Four digits that name a year. */
  abstract String year(String digits);

  /** What is said for the sign between whole and fraction. */
  abstract String separator(char sign);

  /** The digits behind the separator. */
  abstract String fraction(String digits);

  /** Whether a counted noun stands in the singular. */
  abstract boolean isSingular(WrittenNumber number);

  /** Gender of what the found number counts. */
  abstract Gender genderOf(Found found);

  /** A calendar day. {@code year} is null where none is written. */
  abstract String date(int day, int month, String year);

  /** An hour or duration; {@code minutes} and {@code seconds} are -1 where they are not written. */
  abstract String time(int hours, int minutes, int seconds);

  /** Parts of an amount, a time or a list joined: "a, b and c". */
  final String join(List<String> parts) {
    if (parts.size() < 2) {
      return String.join("", parts);
    }
    int last = parts.size() - 1;
    return String.join(", ", parts.subList(0, last)) + " " + word("and") + " " + parts.get(last);
  }

  /** A common word that all vocabularies have. */
  final String word(String key) {
    return vocabulary.word("word", key);
  }

  final String cardinal(String digits, Gender gender) {
    WrittenNumber number = new WrittenNumber(digits, "", '\0');
    String words = number.isQuantity() ? cardinalOrNull(number.wholeValue(), gender) : null;
    return words == null ? digits(digits) : words;
  }

  /** Any number, fraction included. */
  final String number(WrittenNumber number, Gender gender) {
    if (number.isWhole()) {
      return cardinal(number.whole(), gender);
    }
    // "uno coma cinco kilómetros": the noun is behind the fraction.
    String whole = cardinal(number.whole(), gender == Gender.MASCULINE ? Gender.NONE : gender);
    return whole + " " + separator(number.separator()) + " " + fraction(number.fraction());
  }

  /** One word for each digit. */
  final String digits(String digits) {
    StringJoiner words = new StringJoiner(" ");
    digits.chars().forEach(digit -> words.add(cardinalOrNull(java.math.BigInteger.valueOf(digit - '0'), Gender.NONE)));
    return words.toString();
  }

  /** One word for each digit, by the names that telephone numbers and documents are read with. */
  final String dictated(String digits) {
    Map<String, String> names = vocabulary.words("dictated");
    StringJoiner words = new StringJoiner(" ");
    digits.chars().forEach(digit -> {
      String key = Character.toString(digit);
      words.add(names.getOrDefault(key, digits(key)));
    });
    return words.toString();
  }

  /** Name of a letter; a letter that has none stands for itself. */
  final String letter(int letter) {
    String key = Character.toString(Character.toUpperCase(letter));
    List<String> name = vocabulary.entries("letter").get(key);
    return name == null ? key : name.get(0);
  }

  /** Every letter by its name. */
  final String letters(String word) {
    StringJoiner names = new StringJoiner(" ");
    word.codePoints().forEach(letter -> names.add(letter(letter)));
    return names.toString();
  }

  /** Whether a run of capitals that no vocabulary lists is read as a word. */
  abstract boolean isPronounceable(String capitals);
}
