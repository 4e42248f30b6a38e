package ai.valetts.text;

import java.text.Normalizer;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Spells Latin letters and common punctuation in ASCII, as the public programs' English cleaners do before they read.
 * Other scripts have no such spelling here and are reported.
 */
final class PlainLatin {
  private static final Map<Integer, String> SPELLINGS = new HashMap<>();

  static {
    String[] pairs = {
      "\u00a0 ", "¡!", "¢C/", "£PS", "¤$?", "¥Y=", "¦|", "§SS", "¨\"", "©(c)", "ªa", "«<<", "¬!", "\u00ad", "®(r)", "¯-",
      "°deg", "±+-", "²2", "³3", "´'", "µu", "¶P", "·*", "¸,", "¹1", "ºo", "»>>", "¼ 1/4", "½ 1/2", "¾ 3/4", "¿?", "ÆAE",
      "ÐD", "×x", "ØO", "ÞTh", "ßss", "æae", "ðd", "÷/", "øo", "þth", "ĐD", "đd", "ĦH", "ħh", "ıi", "ĲIJ", "ĳij", "ĸk",
      "ĿL", "ŀl", "ŁL", "łl", "ŉ'n", "Ŋng", "ŋNG", "ŒOE", "œoe", "ŦT", "ŧt", "ſs", "\u2009 ", "\u200a ", "\u200b ",
      "\u200c", "\u200d", "\u200e", "\u200f", "‐-", "\u2011-", "‒-", "–-", "—--", "―--", "‘'", "’'", "‚,", "‛'", "“\"",
      "”\"", "„,,", "‟\"", "†+", "‡++", "•*", "․.", "‥..", "\u2026...", "‰%0", "′'", "″''", "‹<",
      "›>", "‼!!", "‽!?", "⁄/", "\u202f ", "€EUR", "™(tm)", "−-"
    };
    for (String pair : pairs) {
      SPELLINGS.put(pair.codePointAt(0), pair.substring(1));
    }
  }

  private PlainLatin() {}

  /** @param unknown receives the characters that are left out */
  static String spell(String text, Set<String> unknown) {
    StringBuilder ascii = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              String spelling = c < 0x80 ? Character.toString(c) : SPELLINGS.getOrDefault(c, withoutMarks(c));
              if (spelling == null) {
                unknown.add(Character.toString(c));
              } else {
                ascii.append(spelling);
              }
            });
    return ascii.toString();
  }

  /** The ASCII letter below the accents; null if there is none. */
  private static String withoutMarks(int codePoint) {
    String bare = Normalizer.normalize(Character.toString(codePoint), Normalizer.Form.NFD).replaceAll("\\p{M}", "");
    return bare.chars().allMatch(c -> c < 0x80) ? bare : null;
  }
}
