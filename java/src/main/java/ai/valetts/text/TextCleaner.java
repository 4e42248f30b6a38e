package ai.valetts.text;

import java.text.Normalizer;
import java.util.LinkedHashSet;
import java.util.Set;

/** The little cleaning every text gets before it is read: white space, quotes, dashes and invisible characters. */
final class TextCleaner {
  private TextCleaner() {}

  /** Composed (NFC) text with single spaces, straight quotes and no invisible characters. */
  static String clean(String text) {
    StringBuilder out = new StringBuilder(text.length());
    Normalizer.normalize(text, Normalizer.Form.NFC).codePoints().forEach(c -> append(out, c));
    return out.toString().strip();
  }

  private static void append(StringBuilder out, int codePoint) {
    switch (codePoint) {
      case '\u2018', '\u2019', '\u201a', '\u201b', '\u2032', '\u00b4', '`' -> out.append('\'');
      case '\u201c', '\u201d', '\u201e', '\u201f', '\u00ab', '\u00bb', '\u2033' -> out.append('"');
      case '\u2026' -> out.append("...");
      case '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2015', '\u2212' -> out.append('-');
      case '\u00ad', '\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\u2060', '\ufeff' -> {
        // Invisible: soft hyphen, zero-width characters, direction marks, byte order mark.
      }
      default -> {
        if (Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint)) {
          if (!out.isEmpty() && out.charAt(out.length() - 1) != ' ') {
            out.append(' ');
          }
        } else {
          out.appendCodePoint(codePoint);
        }
      }
    }
  }

  /**
   * Characters that espeak-ng skips or names by guess: control characters, private and unassigned ones, pictures such
   * as emoji, and the replacement character that a wrong file encoding leaves behind.
   */
  static Set<String> unreadable(String text) {
    Set<String> found = new LinkedHashSet<>();
    text.codePoints()
        .forEach(
            c -> {
              switch (Character.getType(c)) {
                case Character.CONTROL,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.SURROGATE,
                    Character.OTHER_SYMBOL -> {
                  if (c != '\u00b0' && c != '\u00a9' && c != '\u00ae') {
                    found.add(Character.toString(c));
                  }
                }
                default -> {}
              }
            });
    return found;
  }
}
