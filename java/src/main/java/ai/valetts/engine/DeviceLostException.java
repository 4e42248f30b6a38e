package ai.valetts.engine;

/** The GPU is unusable in this process: exit and resume from the last checkpoint. */
public final class DeviceLostException extends EngineException {
  public DeviceLostException(String message) {
    super(EngineStatus.DEVICE_FATAL, message);
  }
}
