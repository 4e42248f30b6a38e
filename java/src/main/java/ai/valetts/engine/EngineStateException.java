package ai.valetts.engine;

/** A call in the wrong phase: a defect of the caller. */
public final class EngineStateException extends EngineException {
  public EngineStateException(String message) {
    super(EngineStatus.INVALID_STATE, message);
  }
}
