package ai.valetts.config;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** Finds what was probably meant. Stateless. */
public final class NearestName {
  private NearestName() {}

  /** The candidate with the fewest edits from the word, case, {@code _} and {@code -} ignored; the first of equals. */
  public static String of(String word, Collection<String> candidates) {
    String best = null;
    int bestDistance = Integer.MAX_VALUE;
    for (String candidate : candidates) {
      int distance = distance(word, candidate);
      if (distance < bestDistance) {
        bestDistance = distance;
        best = candidate;
      }
    }
    return best;
  }

  /** The nearest candidate, if at most a third of the word's letters differ. */
  public static Optional<String> near(String word, Collection<String> candidates) {
    return Optional.ofNullable(of(word, candidates)).filter(best -> 3 * distance(word, best) <= plain(word).length());
  }

  /** Levenshtein distance, case, {@code _} and {@code -} ignored. */
  static int distance(String first, String second) {
    String a = plain(first);
    String b = plain(second);
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitution = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(substitution, Math.min(previous[j], current[j - 1]) + 1);
      }
      previous = current;
    }
    return previous[b.length()];
  }

  private static String plain(String name) {
    return name.replace("_", "").replace("-", "").toLowerCase(Locale.ROOT);
  }
}
