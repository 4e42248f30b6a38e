package ai.valetts.text.normalization;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Abbreviations as whole words: "comprar." is no abbreviated street. An entry of the vocabulary is a reading and what it
 * demands of its surroundings, and perhaps more such pairs; the first that is met is taken.
 */
final class AbbreviationRules {
  private record Reading(String words, String demand) {}

  private final Vocabulary vocabulary;

  AbbreviationRules(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  List<Rule> rules() {
    List<Rule> rules = new ArrayList<>();
    for (boolean exact : new boolean[] {true, false}) {
      Map<String, List<String>> entries = vocabulary.entries(exact ? "abbreviation-exact" : "abbreviation");
      if (!entries.isEmpty()) {
        rules.add(rule(entries, exact));
      }
    }
    return rules;
  }

  private Rule rule(Map<String, List<String>> entries, boolean exact) {
    Map<String, List<Reading>> readings = new HashMap<>();
    entries.forEach((written, values) -> readings.put(key(written, exact), readings(values)));
    String pattern =
        // A single capital and a dot before it is an initial, as in "J. R. Souza".
        Rule.START + "(?<!(?<!\\p{L})(?-i:\\p{Lu})\\. ?)(?<written>" + Vocabulary.alternatives(entries.keySet()).replace(" ", "\\E ?\\Q")
            + ")(?:(?<=\\p{L})" + Rule.END + "|(?<!\\p{L}))";
    return exact
        ? Rule.of(pattern, found -> read(found, readings.get(found.get("written").replace(" ", ""))))
        : Rule.ofAnyCase(pattern, found -> read(found, readings.get(key(found.get("written"), false))));
  }

  private static List<Reading> readings(List<String> values) {
    List<Reading> readings = new ArrayList<>();
    for (int i = 0; i < values.size(); i += 2) {
      readings.add(new Reading(values.get(i), i + 1 < values.size() ? values.get(i + 1) : ""));
    }
    return readings;
  }

  private String read(Found found, List<Reading> readings) {
    for (Reading reading : readings) {
      if (isMet(reading.demand, found)) {
        boolean endsSentence = found.all().endsWith(".") && reading.demand.isEmpty() && found.endsText();
        return reading.words + (endsSentence ? "." : "");
      }
    }
    return null;
  }

  private boolean isMet(String demand, Found found) {
    return switch (demand) {
      case "" -> true;
      case "name" -> found.precedesCapital();
      case "number" -> found.precedesCapital() && RomanRules.isNumeral(found.wordAfter())
          || found.wordAfter().matches("\\d.*");
      case "roman" -> RomanRules.isNumeral(found.wordAfter());
      case "digit" -> found.wordAfter().matches("\\d.*");
      case "after-name" -> !found.wordBefore().isEmpty()
          && !vocabulary.set("not-noun").contains(found.wordBefore().toLowerCase(Locale.ROOT))
          && Character.isUpperCase(found.wordBefore().codePointAt(0));
      case "street" -> isStreet(found);
      case "place" -> found.textAfter(6).matches("(?s) (?:d[aeo]s? )?\\p{Lu}.*");
      case "measure" -> vocabulary.set("per-noun").contains(found.wordAfter());
      case "after-ordinal" -> found.textBefore(3).matches(".*\\d[ºª°oa]? ?");
      case "not-after-number" -> !isAfterNumber(found);
      case "title" -> found.precedesCapital() && !isAfterNumber(found);
      default -> found.precedesCapital() && vocabulary.set(demand).contains(found.wordAfter());
    };
  }

  private static boolean isAfterNumber(Found found) {
    return found.textBefore(2).matches(".?\\d ?");
  }

  /** A word that leads to a place before it, or a house number behind the name. */
  private boolean isStreet(Found found) {
    String after = found.textAfter(60);
    if (after.matches("(?s) \\d{1,2} de \\p{Lu}.*")) {
      return true;
    }
    return after.matches("(?s) (?:d[aeo]s? |del? )?(?:l[ao]s? )?\\p{Lu}.*")
        && (vocabulary.set("before-street").contains(found.wordBefore().toLowerCase(Locale.ROOT))
            || after.matches("(?s)(?: [\\p{L}'-]{1,20}){1,6},? (?:n\\S{0,6} )?\\d.*"));
  }

  private static String key(String written, boolean exact) {
    String plain = written.replace(" ", "");
    return exact ? plain : plain.toLowerCase(Locale.ROOT);
  }
}
