package ai.valetts.engine;

/** Mirrors {@code vt_status} of {@code valetts.h}; a test holds the two equal. */
public enum EngineStatus {
  OK(0),
  INVALID_ARGUMENT(1),
  INVALID_STATE(2),
  IO(3),
  OUT_OF_MEMORY(4),
  NON_FINITE(5),
  DEVICE_FATAL(6),
  CANCELLED(7),
  INTERNAL(8);

  private final int code;

  EngineStatus(int code) {
    this.code = code;
  }

  public int code() {
    return code;
  }

  /** The status of a code; a code this version does not know is {@link #INTERNAL}. */
  public static EngineStatus of(int code) {
    for (EngineStatus status : values()) {
      if (status.code == code) {
        return status;
      }
    }
    return INTERNAL;
  }
}
