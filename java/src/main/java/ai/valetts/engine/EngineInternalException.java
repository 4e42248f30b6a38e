package ai.valetts.engine;

/** Anything the core did not foresee. */
public final class EngineInternalException extends EngineException {
  public EngineInternalException(String message) {
    super(EngineStatus.INTERNAL, message);
  }
}
