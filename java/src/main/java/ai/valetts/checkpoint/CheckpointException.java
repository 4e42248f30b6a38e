package ai.valetts.checkpoint;

/** A checkpoint that cannot be used: missing, cut short, altered or of another version. The message names the file. */
public class CheckpointException extends RuntimeException {
  public CheckpointException(String message) {
    super(message);
  }

  public CheckpointException(String message, Throwable cause) {
    super(message, cause);
  }
}
