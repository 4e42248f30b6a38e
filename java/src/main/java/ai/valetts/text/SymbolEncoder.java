package ai.valetts.text;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** Maps code points to ids, with marks at both ends and blanks between, as Piper lays them out. */
final class SymbolEncoder {
  private SymbolEncoder() {}

  /**
   * Encodes symbols with no regard to where they come from.
   *
   * @param phonemes decomposed symbols, one code point each
   * @param unknown symbols of the text that are known to have no id, listed first among the unknown ones
   */
  static EncodedText encode(String phonemes, Set<String> unknown, SymbolTable table, boolean addBlank) {
    List<Integer> ids = new ArrayList<>();
    Set<String> missing = new LinkedHashSet<>(unknown);
    StringBuilder kept = new StringBuilder();
    int phonemeCount = 0;
    ids.add(table.beginId());
    for (int codePoint : phonemes.codePoints().toArray()) {
      String symbol = Character.toString(codePoint);
      OptionalInt id = table.idOf(symbol);
      if (id.isEmpty()) {
        missing.add(symbol);
        continue;
      }
      if (addBlank) {
        ids.add(table.padId());
      }
      ids.add(id.getAsInt());
      kept.append(symbol);
      if (isSound(codePoint)) {
        phonemeCount++;
      }
    }
    if (addBlank) {
      ids.add(table.padId());
    }
    ids.add(table.endId());
    int[] packed = ids.stream().mapToInt(Integer::intValue).toArray();
    Words none = new Words("", List.of());
    return new EncodedText(packed, kept.toString(), List.copyOf(missing), phonemeCount, none, Map.of());
  }

  /** Letters and digits, but no modifier letters: stress, length and palatalisation belong to their neighbour. */
  static boolean isSound(int codePoint) {
    return Character.isLetterOrDigit(codePoint) && Character.getType(codePoint) != Character.MODIFIER_LETTER;
  }
}
