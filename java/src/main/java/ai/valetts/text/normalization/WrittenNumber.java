package ai.valetts.text.normalization;

import java.math.BigInteger;

/**
 * A number as digits.
 *
 * @param whole digits before the separator, grouping removed
 * @param fraction digits behind it, empty if there are none
 * @param separator the sign between them as written, or 0
 */
record WrittenNumber(String whole, String fraction, char separator) {
  /** Longest number that is read as one; a longer run of digits is read digit by digit. */
  static final int LONGEST = 36;

  /** No letter and no part of a number before. */
  static final String START = Rule.START + "(?<!\\d[.,])";

  /**
   * How a language writes large and broken numbers. Both signs are understood in either role wherever the digits leave
   * no doubt; a single sign before exactly three digits is the language's grouping sign.
   */
  record Style(char grouping, char decimal) {
    private String sign(char c) {
      return c == '.' ? "\\." : ",";
    }

    private String grouped() {
      return "\\d{1,3}(?:" + sign(grouping) + "\\d{3})++(?!\\d)(?:" + sign(decimal) + "\\d++)?";
    }

    private String groupedOtherwise() {
      String group = "(?:" + sign(decimal) + "\\d{3})";
      return "\\d{1,3}(?:" + group + "++" + sign(grouping) + "\\d++|" + group + "{2}" + group + "*+(?!\\d))";
    }

    /** A regular expression of a whole number in a named group, with nothing of a number cut off. */
    String pattern(String name) {
      return START
          + "(?<" + name + ">" + grouped() + "|" + groupedOtherwise() + "|\\d++(?:[.,]\\d++)?)(?![.,]?\\d)";
    }

    WrittenNumber parse(String text) {
      if (text.matches(grouped())) {
        return split(text.replace(String.valueOf(grouping), ""), decimal);
      }
      if (text.matches(groupedOtherwise())) {
        return split(text.replace(String.valueOf(decimal), ""), grouping);
      }
      return split(text, text.indexOf('.') >= 0 ? '.' : ',');
    }

    private static WrittenNumber split(String plain, char separator) {
      int point = plain.indexOf(separator);
      return point < 0
          ? new WrittenNumber(plain, "", '\0')
          : new WrittenNumber(plain.substring(0, point), plain.substring(point + 1), separator);
    }
  }

  boolean isWhole() {
    return fraction.isEmpty();
  }

  BigInteger wholeValue() {
    return new BigInteger(whole);
  }

  /** A leading zero says that the digits are a name rather than a quantity. */
  boolean isQuantity() {
    return whole.length() <= LONGEST && (whole.length() == 1 || whole.charAt(0) != '0');
  }

  boolean isExactly(int value) {
    return isWhole() && whole.length() < 9 && Integer.parseInt(whole) == value;
  }

  /** Whether the whole part is 0 or 1. */
  boolean isBelowTwo() {
    return whole.length() < 9 && Integer.parseInt(whole) < 2;
  }

  /** Whether it is 1, 2, 3, … million (or a multiple of a million) and nothing more. */
  boolean isRoundMillions() {
    return isWhole() && whole.length() > 6 && whole.endsWith("000000");
  }
}
