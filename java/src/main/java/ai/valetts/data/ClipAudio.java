package ai.valetts.data;

/** Decoded recordings. Thread-safe. */
public interface ClipAudio {

  /**
   * The clip's samples, -1..1, {@link Clip#samples()} of them.
   *
   * @throws DataException if they cannot be read any more
   */
  float[] samples(Clip clip);
}
