package ai.valetts.data;

/** The data cannot be trained on as it is. The message names the file or row, and what to do. */
public final class DataException extends RuntimeException {
  public DataException(String message) {
    super(message);
  }

  public DataException(String message, Throwable cause) {
    super(message, cause);
  }
}
