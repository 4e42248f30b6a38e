package ai.valetts.storage;

import java.time.Duration;

/** A store that did not do what it was asked. The message names the store and says what to do; it holds no secret. */
public final class StorageException extends RuntimeException {
  private final Kind kind;
  private final Duration retryAfter;

  /** What stands in the way. */
  public enum Kind {
    /** It may work later: no answer, a network or server error, too many requests. */
    UNAVAILABLE,
    /** No room. */
    FULL,
    /** The account or the place is refused: a person has to act. */
    REFUSED,
    /** What is asked for is not there. */
    MISSING,
    /** What is there is not what was written. */
    DAMAGED,
    /** The local side of a transfer failed. */
    LOCAL
  }

  public StorageException(Kind kind, String message, Throwable cause) {
    this(kind, message, null, cause);
  }

  public StorageException(Kind kind, String message) {
    this(kind, message, null, null);
  }

  /**
   * @param retryAfter how long the store wants to be left alone; null if it did not say
   */
  public StorageException(Kind kind, String message, Duration retryAfter, Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }

  public Kind kind() {
    return kind;
  }

  /** How long the store wants to be left alone; null if it did not say. */
  public Duration retryAfter() {
    return retryAfter;
  }
}
