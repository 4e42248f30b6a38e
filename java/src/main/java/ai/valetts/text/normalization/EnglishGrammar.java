package ai.valetts.text.normalization;

import java.math.BigInteger;
import java.util.List;
import java.util.regex.Pattern;

/** English. American unless the voice is British. */
final class EnglishGrammar extends Grammar {
  private static final List<NumberSpelling.Scale> SCALES =
      List.of(
          scale("decillion", 33),
          scale("nonillion", 30),
          scale("octillion", 27),
          scale("septillion", 24),
          scale("sextillion", 21),
          scale("quintillion", 18));
  private static final Pattern PRONOUNCEABLE = Pattern.compile("(?=.*[AEIOUY])(?!.*[^AEIOUY]{3}).{4,}");

  private final NumberSpellingSource numbers = new NumberSpellingSource("en");
  private final boolean british;

  EnglishGrammar(Vocabulary vocabulary, boolean british) {
    super(vocabulary, new WrittenNumber.Style(',', '.'));
    this.british = british;
  }

  private static NumberSpelling.Scale scale(String name, int power) {
    return new NumberSpelling.Scale(name, name, power);
  }

  @Override
  String cardinalOrNull(BigInteger number, Gender gender) {
    String rules = british ? "%spellout-cardinal-verbose" : "%spellout-cardinal";
    String words = numbers.get().spell(number, rules, rules, SCALES, british ? "and " : "");
    return words == null ? null : words.replace(",", "");
  }

  @Override
  String ordinal(int number, Gender gender) {
    return numbers.get().spell(number, british ? "%spellout-ordinal-verbose" : "%spellout-ordinal").replace(",", "");
  }

  /** "nineteen eighty-four", "nineteen oh five", "two thousand nine". */
  @Override
  String year(String digits) {
    return digits.length() == 4 && digits.charAt(0) != '0'
        ? numbers.get().spell(Long.parseLong(digits), "%spellout-numbering-year").replace("oh-", "oh ")
        : cardinal(digits, Gender.NONE);
  }

  @Override
  String separator(char sign) {
    return sign == ',' ? "comma" : "point";
  }

  @Override
  String fraction(String digits) {
    return digits(digits);
  }

  @Override
  boolean isSingular(WrittenNumber number) {
    return number.isExactly(1);
  }

  @Override
  Gender genderOf(Found found) {
    return Gender.NONE;
  }

  @Override
  String date(int day, int month, String year) {
    String name = vocabulary().word("month", String.valueOf(month));
    String date = british ? "the " + ordinal(day, Gender.NONE) + " of " + name : name + " " + ordinal(day, Gender.NONE);
    return date + (year == null ? "" : ", " + year(year));
  }

  /** By the clock: "nine thirty", "nine oh five", "nine o'clock". */
  @Override
  String time(int hours, int minutes, int seconds) {
    String hour = cardinal(String.valueOf(hours), Gender.NONE);
    String clock;
    if (minutes > 0) {
      clock = hour + (minutes < 10 ? " oh " : " ") + cardinal(String.valueOf(minutes), Gender.NONE);
    } else {
      clock = hour + (hours > 12 || hours == 0 ? " hundred hours" : " o'clock");
    }
    String second = seconds == 1 ? " second" : " seconds";
    return seconds > 0 ? clock + " and " + cardinal(String.valueOf(seconds), Gender.NONE) + second : clock;
  }

  @Override
  boolean isPronounceable(String capitals) {
    return PRONOUNCEABLE.matcher(capitals).matches();
  }
}
