package ai.valetts.text;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * One text as the network reads it.
 *
 * @param ids symbol ids, from the beginning-of-text to the end-of-text mark, with blanks where the configuration asks
 * @param phonemes the symbols as text, without marks and blanks
 * @param unknownSymbols symbols that have no id, in order of first appearance; they are not in {@code ids}
 * @param phonemeCount sounds (or letters) among the symbols: no marks, blanks, spaces, punctuation, stress or length
 * @param words what was read, written out
 * @param unknownIn the first word that has an unknown symbol, for each where it could be found
 */
public record EncodedText(
    int[] ids,
    String phonemes,
    List<String> unknownSymbols,
    int phonemeCount,
    Words words,
    Map<String, String> unknownIn) {
  public EncodedText {
    unknownSymbols = List.copyOf(unknownSymbols);
    unknownIn = Map.copyOf(unknownIn);
  }

  /** Each unknown symbol with its code point and its word, e.g. {@code "☃" (U+2603) in "snow☃"}. */
  public String describeUnknown() {
    return describe(unknownSymbols, unknownIn);
  }

  /** As {@link #describeUnknown()}, of words that no front end has read: brackets of phonemes that lack the other pair. */
  public static String describeUnpaired(Words words) {
    Map<String, String> unpaired = words.unpairedBrackets();
    return describe(unpaired.keySet(), unpaired);
  }

  private static String describe(Collection<String> symbols, Map<String, String> places) {
    return symbols.stream().map(symbol -> describe(symbol, places.get(symbol))).collect(Collectors.joining(", "));
  }

  private static String describe(String symbol, String word) {
    if (word != null && (symbol.equals("[[") || symbol.equals("]]"))) {
      return String.format(Locale.ROOT, "\"%s\" in \"%s\" (phonemes stand between [[ and ]])", symbol, word);
    }
    String named = String.format(Locale.ROOT, "\"%s\" (U+%04X)", symbol, symbol.codePointAt(0));
    return word == null || word.equals(symbol) ? named : named + " in \"" + word + "\"";
  }

  EncodedText of(Words read, Map<String, String> foundIn) {
    return new EncodedText(ids, phonemes, unknownSymbols, phonemeCount, read, foundIn);
  }
}
