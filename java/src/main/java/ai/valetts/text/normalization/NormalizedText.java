package ai.valetts.text.normalization;

import java.util.List;

/**
 * A text written out in words.
 *
 * @param text what is to be read
 * @param removed pictures and signs that have no reading and were left out, each once, in order of appearance
 */
public record NormalizedText(String text, List<String> removed) {
  public NormalizedText {
    removed = List.copyOf(removed);
  }
}
