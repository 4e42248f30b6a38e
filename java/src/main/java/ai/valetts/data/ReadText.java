package ai.valetts.data;

import ai.valetts.text.EncodedText;
import java.util.List;

/**
 * A row's text as the network reads it.
 *
 * @param ids symbol ids
 * @param phonemes the symbols as text
 * @param phonemeCount sounds among them
 * @param unknown symbols without an id, described for a person; empty if there are none
 * @param removed pictures and signs without a reading
 */
record ReadText(int[] ids, String phonemes, int phonemeCount, String unknown, List<String> removed) {
  static ReadText of(EncodedText encoded) {
    return new ReadText(
        encoded.ids(),
        encoded.phonemes(),
        encoded.phonemeCount(),
        encoded.describeUnknown(),
        encoded.words().removed());
  }
}
