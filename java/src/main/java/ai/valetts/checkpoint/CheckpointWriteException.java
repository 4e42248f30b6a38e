package ai.valetts.checkpoint;

/** A checkpoint that could not be written, for instance for want of disk space; nothing of it is left behind. */
public final class CheckpointWriteException extends CheckpointException {
  public CheckpointWriteException(String message, Throwable cause) {
    super(message, cause);
  }
}
