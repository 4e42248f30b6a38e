package ai.valetts.engine;

/** A file the core could not read or write, or that is not what it should be. */
public final class EngineIoException extends EngineException {
  public EngineIoException(String message) {
    super(EngineStatus.IO, message);
  }
}
