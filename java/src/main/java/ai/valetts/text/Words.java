package ai.valetts.text;

import java.util.List;

/**
 * A text in the words it is read with.
 *
 * @param text the words; {@code [[...]]} holds phonemes
 * @param removed pictures and signs that have no reading and were left out, each once
 */
public record Words(String text, List<String> removed) {
  public Words {
    removed = List.copyOf(removed);
  }
}
