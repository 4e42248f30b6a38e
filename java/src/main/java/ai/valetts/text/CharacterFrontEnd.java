package ai.valetts.text;

import java.text.Normalizer;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.stream.IntStream;

/** Reads text by its lower-cased, decomposed characters. Works for every script, with nothing installed. */
final class CharacterFrontEnd implements TextFrontEnd {
  private final SymbolTable symbols;
  private final Wording wording;
  private final boolean addBlank;

  /**
   * @throws TextException if the lexicon has phonemes, which characters cannot stand for
   */
  CharacterFrontEnd(SymbolTable symbols, Wording wording, boolean addBlank) {
    this.symbols = symbols;
    this.wording = wording;
    this.addBlank = addBlank;
    for (Lexicon.Entry entry : wording.lexicon().entriesWithPhonemes()) {
      throw new TextException(
          entry.place() + ": text is read by its characters, which have no phonemes; write how the word is said in letters");
    }
  }

  @Override
  public Words words(String text, String language) {
    return wording.of(text, language);
  }

  @Override
  public EncodedText read(Words words, String language) {
    Languages.require(wording.language(language));
    StringBuilder known = new StringBuilder(words.text().length());
    Set<String> unknown = new LinkedHashSet<>(words.unpairedBrackets().keySet());
    Matcher phonemes = Wording.PHONEMES.matcher(words.text());
    // Phonemes are not letters: the whole block is what cannot be read.
    String readable = phonemes.replaceAll(block -> {
      unknown.add(block.group());
      return " ";
    });
    characters(readable)
        .forEach(
            c -> {
              if (isReadable(c)) {
                known.appendCodePoint(c);
              } else {
                unknown.add(Character.toString(c));
              }
            });
    EncodedText encoded = SymbolEncoder.encode(known.toString(), unknown, symbols, addBlank);
    return encoded.of(words, wordsWith(encoded, readable));
  }

  private static Map<String, String> wordsWith(EncodedText encoded, String text) {
    Map<String, String> found = new LinkedHashMap<>();
    if (!encoded.unknownSymbols().isEmpty()) {
      for (String word : text.split(" ")) {
        String letters = Normalizer.normalize(word.toLowerCase(Locale.ROOT), Normalizer.Form.NFD);
        encoded.unknownSymbols().stream().filter(letters::contains).forEach(s -> found.putIfAbsent(s, word));
      }
    }
    return found;
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
  public byte[] lexicon() {
    return wording.lexicon().file();
  }

  @Override
  public String version() {
    return "characters, " + wording.version();
  }

  @Override
  public void close() {}
}
