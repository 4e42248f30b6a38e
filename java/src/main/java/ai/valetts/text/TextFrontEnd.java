package ai.valetts.text;

/** Turns text into symbol ids. Thread-safe. */
public interface TextFrontEnd extends AutoCloseable {

  /**
   * The words a text is read with: cleaned, looked up in the lexicon and written out, as the configuration asks.
   *
   * @param language espeak-ng voice such as {@code pt-br}; null takes {@code text.language}
   */
  Words words(String text, String language);

  /**
   * Encodes words. Symbols without an id are left out and listed in the result.
   *
   * @param words from {@link #words}, or a part of them
   * @param language as for {@link #words}
   * @throws TextException if there is no such language, naming the nearest
   */
  EncodedText read(Words words, String language);

  /** Encodes a text as it stands in a file. */
  default EncodedText encode(String text, String language) {
    return read(words(text, language), language);
  }

  /** The table the ids come from. */
  SymbolTable symbols();

  /** {@code espeak} or {@code characters}. */
  String name();

  /**
   * Everything that ids depend on besides text, language and table: the program that makes the sounds, the rules and the
   * lexicon. Ids that were made by another version must not be reused.
   */
  String version();

  /** The lexicon's file as it was read, for a voice to keep; empty without one. */
  byte[] lexicon();

  @Override
  void close();
}
