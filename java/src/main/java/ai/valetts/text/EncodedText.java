package ai.valetts.text;

import java.util.List;

/**
 * One text as the network reads it.
 *
 * @param ids symbol ids, from the beginning-of-text to the end-of-text mark, with blanks where the configuration asks
 * @param phonemes the symbols as text, without marks and blanks
 * @param unknownSymbols symbols that have no id, in order of first appearance; they are not in {@code ids}
 * @param phonemeCount sounds (or letters) among the symbols: no marks, blanks, spaces, punctuation, stress or length
 */
public record EncodedText(int[] ids, String phonemes, List<String> unknownSymbols, int phonemeCount) {
  public EncodedText {
    unknownSymbols = List.copyOf(unknownSymbols);
  }
}
