package ai.valetts.text;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads text as VITS and p0p4k's VITS2 do: a cleaner, one id for each code point, and the blank before, between and
 * after them where the voice was trained with blanks. A symbol without an id is left out.
 */
final class VitsFrontEnd implements TextFrontEnd {
  private static final int BLANK = 0;

  private final Espeak espeak;
  private final SymbolTable symbols;
  private final Wording wording;
  private final boolean addBlank;

  /** @param espeak null where the reading does without */
  VitsFrontEnd(Espeak espeak, SymbolTable symbols, Wording wording, boolean addBlank) {
    this.espeak = espeak;
    this.symbols = symbols;
    this.wording = wording;
    this.addBlank = addBlank;
  }

  @Override
  public Words words(String text, String language) {
    return wording.asTaught(text, language);
  }

  @Override
  public EncodedText read(Words words, String language) {
    Set<String> unknown = new LinkedHashSet<>();
    String cleaned =
        VitsCleaners.clean(
            symbols.reading(), words.text(), unknown, piece -> espeak.phonemes(piece, VitsCleaners.VOICE));
    List<Integer> ids = new ArrayList<>();
    StringBuilder kept = new StringBuilder();
    int sounds = 0;
    for (int codePoint : cleaned.codePoints().toArray()) {
      String symbol = Character.toString(codePoint);
      OptionalInt id = symbols.idOf(symbol);
      if (id.isEmpty()) {
        unknown.add(symbol);
        continue;
      }
      if (addBlank) {
        ids.add(BLANK);
      }
      ids.add(id.getAsInt());
      kept.append(symbol);
      sounds += SymbolEncoder.isSound(codePoint) ? 1 : 0;
    }
    if (addBlank) {
      ids.add(BLANK);
    }
    int[] packed = ids.stream().mapToInt(Integer::intValue).toArray();
    return new EncodedText(packed, kept.toString(), List.copyOf(unknown), sounds, words, Map.of());
  }

  @Override
  public SymbolTable symbols() {
    return symbols;
  }

  @Override
  public String name() {
    return symbols.reading().text();
  }

  @Override
  public byte[] lexicon() {
    return wording.lexicon().file();
  }

  @Override
  public String version() {
    return (espeak == null ? name() : "espeak-ng " + espeak.version() + ", " + name()) + ", " + wording.version();
  }

  /** Nothing to free: the library belongs to the process. */
  @Override
  public void close() {}
}
