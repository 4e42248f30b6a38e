package ai.valetts.app;

import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/** Cuts a text into pieces a voice can say in one breath: at sentence ends, and further where one is still too long. */
final class Sentences {
  private Sentences() {}

  /**
   * @param language espeak-ng voice, e.g. {@code pt-br}
   * @param fits whether a piece is short enough; a single word is never cut
   */
  static List<String> split(String text, String language, Predicate<String> fits) {
    Locale locale = Locale.forLanguageTag(language);
    List<String> pieces = new ArrayList<>();
    for (String sentence : broken(text, BreakIterator.getSentenceInstance(locale))) {
      addFitting(sentence, locale, fits, pieces);
    }
    return pieces;
  }

  private static void addFitting(String piece, Locale locale, Predicate<String> fits, List<String> pieces) {
    if (fits.test(piece)) {
      pieces.add(piece);
      return;
    }
    int cut = cutNearMiddle(piece);
    if (cut < 0) {
      pieces.add(piece);
      return;
    }
    addFitting(piece.substring(0, cut).strip(), locale, fits, pieces);
    addFitting(piece.substring(cut).strip(), locale, fits, pieces);
  }

  /** A cut after punctuation in the middle half is best, else after the space nearest the middle; -1 for one word. */
  private static int cutNearMiddle(String piece) {
    int middle = piece.length() / 2;
    int best = -1;
    int bestCost = Integer.MAX_VALUE;
    for (int i = 1; i < piece.length() - 1; i++) {
      if (Character.isWhitespace(piece.charAt(i))) {
        boolean clauseEnd = ",;:\u2014)".indexOf(piece.charAt(i - 1)) >= 0;
        int cost = Math.abs(i - middle) + (clauseEnd ? 0 : piece.length() / 4);
        if (cost < bestCost) {
          best = i;
          bestCost = cost;
        }
      }
    }
    return best;
  }

  private static List<String> broken(String text, BreakIterator breaks) {
    List<String> parts = new ArrayList<>();
    breaks.setText(text);
    int start = breaks.first();
    for (int end = breaks.next(); end != BreakIterator.DONE; start = end, end = breaks.next()) {
      String part = text.substring(start, end).strip();
      if (!part.isEmpty()) {
        parts.add(part);
      }
    }
    return parts;
  }
}
