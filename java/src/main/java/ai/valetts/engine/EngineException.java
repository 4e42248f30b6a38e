package ai.valetts.engine;

/** A failure inside the native core, one subclass per status (see {@code docs/errors.md}). */
public abstract sealed class EngineException extends RuntimeException
    permits InvalidEngineArgumentException,
        EngineStateException,
        EngineIoException,
        EngineOutOfMemoryException,
        NonFiniteLossException,
        DeviceLostException,
        OperationCancelledException,
        EngineInternalException {
  private final EngineStatus status;

  EngineException(EngineStatus status, String message) {
    super(message);
    this.status = status;
  }

  public EngineStatus status() {
    return status;
  }

  /** The exception that stands for a status other than {@link EngineStatus#OK}. */
  public static EngineException of(EngineStatus status, String message) {
    return switch (status) {
      case INVALID_ARGUMENT -> new InvalidEngineArgumentException(message);
      case INVALID_STATE -> new EngineStateException(message);
      case IO -> new EngineIoException(message);
      case OUT_OF_MEMORY -> new EngineOutOfMemoryException(message);
      case NON_FINITE -> new NonFiniteLossException(message);
      case DEVICE_FATAL -> new DeviceLostException(message);
      case CANCELLED -> new OperationCancelledException(message);
      case INTERNAL, OK -> new EngineInternalException(message);
    };
  }
}
