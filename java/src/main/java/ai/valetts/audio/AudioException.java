package ai.valetts.audio;

import java.nio.file.Path;

/** A recording that cannot be used. The message names the file and what is wrong with it. */
public final class AudioException extends RuntimeException {
  /** Kinds of faults. */
  public enum Fault {
    MISSING,
    EMPTY,
    CUT_SHORT,
    DAMAGED,
    TOO_LONG,
    /** Nothing is known to be wrong with the file: the disk, a right or a decoder is at fault. */
    UNREADABLE
  }

  private final transient Path file;
  private final Fault fault;
  private final String reason;

  public AudioException(Path file, Fault fault, String reason) {
    super(file + " " + reason);
    this.file = file;
    this.fault = fault;
    this.reason = reason;
  }

  public Fault fault() {
    return fault;
  }

  public Path file() {
    return file;
  }

  /** What is wrong, without the file's name, as the end of a sentence that begins with it. */
  public String reason() {
    return reason;
  }
}
