package ai.valetts.engine;

/** Host or device memory ran out; the session is still usable with a smaller batch. */
public final class EngineOutOfMemoryException extends EngineException {
  public EngineOutOfMemoryException(String message) {
    super(EngineStatus.OUT_OF_MEMORY, message);
  }
}
