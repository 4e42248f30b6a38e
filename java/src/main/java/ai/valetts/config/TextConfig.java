package ai.valetts.config;

/**
 * How text becomes symbol ids.
 *
 * @param frontEnd {@code auto} (espeak-ng when it is installed, else characters), {@code espeak} or {@code characters}
 * @param language espeak-ng voice used where a data source names none, e.g. {@code pt-br}
 * @param normalization {@code full} writes numbers, dates, amounts, abbreviations and the like out in words, by the
 *     language of the text; {@code none} or null reads the text as it stands
 * @param lexicon file of words and how they are said, or null
 * @param addBlank put the blank id between all symbols, as VITS and Piper do; VITS2 does not
 * @param maxSymbols longest accepted text, in symbols
 */
public record TextConfig(
    String frontEnd,
    String language,
    @Nullable String normalization,
    @Nullable String lexicon,
    boolean addBlank,
    int maxSymbols) {
  /** Text read as it stands, without a lexicon. */
  public TextConfig(String frontEnd, String language, boolean addBlank, int maxSymbols) {
    this(frontEnd, language, null, null, addBlank, maxSymbols);
  }

  /** The same with another lexicon. */
  public TextConfig withLexicon(String file) {
    return new TextConfig(frontEnd, language, normalization, file, addBlank, maxSymbols);
  }

  /** Whether text is written out in words before it is read. */
  public boolean isNormalized() {
    return "full".equals(normalization);
  }
}
