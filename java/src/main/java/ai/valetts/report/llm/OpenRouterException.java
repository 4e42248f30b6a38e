package ai.valetts.report.llm;

import java.time.Duration;
import java.util.Optional;

/** OpenRouter did not do what it was asked. The message holds no key. */
final class OpenRouterException extends Exception {
  private static final long serialVersionUID = 1;

  /** What to do about it. */
  enum Remedy {
    /** The same again, after a while. */
    RETRY,
    /** Another model. */
    OTHER_MODEL,
    /** Nothing: key or credit are at fault. */
    NONE
  }

  private final Remedy remedy;
  private final transient Duration retryAfter;
  private final boolean mayCost;

  /**
   * @param retryAfter how long to wait at least, null where the other side did not say
   * @param mayCost whether a model may have worked on it
   */
  OpenRouterException(Remedy remedy, Duration retryAfter, boolean mayCost, String message) {
    super(message);
    this.remedy = remedy;
    this.retryAfter = retryAfter;
    this.mayCost = mayCost;
  }

  Remedy remedy() {
    return remedy;
  }

  Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  boolean mayCost() {
    return mayCost;
  }
}
