package ai.valetts.text.normalization;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The words of one language that rules need, from a file beside this class. A line is a kind, a key and values, between
 * tabs; {@code #} begins a comment. Kinds that are plain sets have all their words in one value, between spaces.
 */
final class Vocabulary {
  private final Map<String, Map<String, List<String>>> kinds = new LinkedHashMap<>();

  private Vocabulary() {}

  /**
   * @param file name of the resource, e.g. {@code pt.tsv}
   */
  static Vocabulary read(String file) {
    Vocabulary vocabulary = new Vocabulary();
    try (InputStream in = Vocabulary.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("the jar lacks " + file);
      }
      int number = 0;
      for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
        number++;
        if (!line.isBlank() && !line.startsWith("#")) {
          String[] columns = line.split("\t", -1);
          if (columns.length < 2) {
            throw new IllegalStateException(file + ":" + number + " has no tab");
          }
          vocabulary
              .kinds
              .computeIfAbsent(columns[0], kind -> new LinkedHashMap<>())
              .put(columns[1], List.of(columns).subList(2, columns.length));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return vocabulary;
  }

  /** All entries of a kind, in the file's order. */
  Map<String, List<String>> entries(String kind) {
    return kinds.getOrDefault(kind, Map.of());
  }

  /** Entries of a kind that have one value. */
  Map<String, String> words(String kind) {
    Map<String, String> words = new LinkedHashMap<>();
    entries(kind).forEach((key, values) -> words.put(key, values.get(0)));
    return words;
  }

  /** The one word of an entry that every vocabulary has. */
  String word(String kind, String key) {
    List<String> values = entries(kind).get(key);
    if (values == null) {
      throw new IllegalStateException("the vocabulary lacks " + kind + " " + key);
    }
    return values.get(0);
  }

  /** A kind that is a set of words. */
  Set<String> set(String kind) {
    Set<String> all = new LinkedHashSet<>();
    for (String line : entries(kind).keySet()) {
      all.addAll(List.of(line.split(" ")));
    }
    return all;
  }

  /** The keys of a kind as alternatives of a regular expression, longer ones first. */
  static String alternatives(Iterable<String> keys) {
    List<String> quoted = new ArrayList<>();
    keys.forEach(quoted::add);
    quoted.sort((a, b) -> a.length() == b.length() ? a.compareTo(b) : b.length() - a.length());
    return "(?:" + String.join("|", quoted.stream().map(java.util.regex.Pattern::quote).toList()) + ")";
  }
}
