package ai.valetts.engine;

/** A value the core refuses; the message names the field. */
public final class InvalidEngineArgumentException extends EngineException {
  public InvalidEngineArgumentException(String message) {
    super(EngineStatus.INVALID_ARGUMENT, message);
  }
}
