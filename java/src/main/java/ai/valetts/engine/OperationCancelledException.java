package ai.valetts.engine;

/** The operation was cancelled on request. */
public final class OperationCancelledException extends EngineException {
  public OperationCancelledException(String message) {
    super(EngineStatus.CANCELLED, message);
  }
}
