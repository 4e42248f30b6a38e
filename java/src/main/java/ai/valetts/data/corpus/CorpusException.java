package ai.valetts.data.corpus;

/** A corpus that cannot be read at all. The message names the file and says what to do. */
public final class CorpusException extends RuntimeException {
  public CorpusException(String message) {
    super(message);
  }

  public CorpusException(String message, Throwable cause) {
    super(message, cause);
  }
}
