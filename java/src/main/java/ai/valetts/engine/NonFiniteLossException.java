package ai.valetts.engine;

/** A loss or gradient became NaN or infinite; the message names it and the weights were not touched by it. */
public final class NonFiniteLossException extends EngineException {
  public NonFiniteLossException(String message) {
    super(EngineStatus.NON_FINITE, message);
  }
}
