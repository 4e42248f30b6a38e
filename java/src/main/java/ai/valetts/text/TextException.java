package ai.valetts.text;

/** Text that cannot be read as asked: espeak-ng or a voice is missing, or a symbol table is unreadable. */
public final class TextException extends RuntimeException {
  public TextException(String message) {
    super(message);
  }

  public TextException(String message, Throwable cause) {
    super(message, cause);
  }
}
