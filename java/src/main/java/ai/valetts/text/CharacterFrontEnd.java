package ai.valetts.text;

import java.text.Normalizer;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;

/** Reads text by its lower-cased, decomposed characters. Works for every script, with nothing installed. */
final class CharacterFrontEnd implements TextFrontEnd {
  private final SymbolTable symbols;
  private final boolean addBlank;

  CharacterFrontEnd(SymbolTable symbols, boolean addBlank) {
    this.symbols = symbols;
    this.addBlank = addBlank;
  }

  @Override
  public EncodedText encode(String text, String language) {
    StringBuilder known = new StringBuilder(text.length());
    Set<String> unknown = new LinkedHashSet<>();
    characters(text)
        .forEach(
            c -> {
              if (isReadable(c)) {
                known.appendCodePoint(c);
              } else {
                unknown.add(Character.toString(c));
              }
            });
    return SymbolEncoder.encode(known.toString(), unknown, symbols, addBlank);
  }

  static IntStream characters(String text) {
    String lower = TextCleaner.clean(text).toLowerCase(Locale.ROOT);
    return Normalizer.normalize(lower, Normalizer.Form.NFD).codePoints();
  }

  /**
   * Letters, marks, digits, punctuation and the space. A picture or a currency sign has no spelling to learn from, and
   * the underscore is the blank.
   */
  static boolean isReadable(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.LOWERCASE_LETTER,
          Character.UPPERCASE_LETTER,
          Character.TITLECASE_LETTER,
          Character.MODIFIER_LETTER,
          Character.OTHER_LETTER,
          Character.NON_SPACING_MARK,
          Character.COMBINING_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.DECIMAL_DIGIT_NUMBER,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION -> true;
      default -> codePoint == ' ';
    };
  }

  @Override
  public SymbolTable symbols() {
    return symbols;
  }

  @Override
  public String name() {
    return "characters";
  }

  @Override
  public String version() {
    return "characters";
  }

  @Override
  public void close() {}
}
