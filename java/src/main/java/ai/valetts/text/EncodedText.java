package ai.valetts.text;

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
    return unknownSymbols.stream().map(this::describe).collect(Collectors.joining(", "));
  }

  private String describe(String symbol) {
    String word = unknownIn.get(symbol);
    String named = String.format(Locale.ROOT, "\"%s\" (U+%04X)", symbol, symbol.codePointAt(0));
    return word == null || word.equals(symbol) ? named : named + " in \"" + word + "\"";
  }

  EncodedText of(Words read, Map<String, String> foundIn) {
    return new EncodedText(ids, phonemes, unknownSymbols, phonemeCount, read, foundIn);
  }
}
