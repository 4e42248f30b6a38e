package ai.valetts.text;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text in the words it is read with.
 *
 * @param text the words; {@code [[...]]} holds phonemes
 * @param removed pictures and signs that have no reading and were left out, each once
 */
public record Words(String text, List<String> removed) {
  private static final Pattern BRACKETS = Pattern.compile("\\S*?(\\[\\[|\\]\\])\\S*");

  public Words {
    removed = List.copyOf(removed);
  }

  /** {@code [[} without its {@code ]]}, or the other way round, and the word where it first stands. */
  public Map<String, String> unpairedBrackets() {
    Map<String, String> unpaired = new LinkedHashMap<>();
    Matcher bracket = BRACKETS.matcher(Wording.PHONEMES.matcher(text).replaceAll(" "));
    while (bracket.find()) {
      unpaired.putIfAbsent(bracket.group(1), bracket.group());
    }
    return unpaired;
  }
}
