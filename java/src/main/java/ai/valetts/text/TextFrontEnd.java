package ai.valetts.text;

/** Turns text into symbol ids. Thread-safe. */
public interface TextFrontEnd extends AutoCloseable {

  /**
   * Encodes one text. Symbols without an id are left out and listed in the result.
   *
   * @param language espeak-ng voice such as {@code pt-br}; null takes {@code text.language}
   * @throws TextException if espeak-ng has no such voice
   */
  EncodedText encode(String text, String language);

  /** The table the ids come from. */
  SymbolTable symbols();

  /** {@code espeak} or {@code characters}. */
  String name();

  /** What a model should remember of the program that read its texts, e.g. {@code espeak-ng 1.51}. */
  String version();

  @Override
  void close();
}
