package ai.valetts.config;

/**
 * When checkpoints are written and which are kept. A checkpoint stays as long as one of the rules wants it; the size has
 * the last word.
 *
 * @param everySteps steps between checkpoints; null for none by step
 * @param everyMinutes minutes between checkpoints; null for none by time
 * @param keep newest checkpoints kept, at least 1
 * @param keepBest checkpoints kept for the lowest mel L1 of the held-out clips; null is none
 * @param keepEverySteps of every so many steps the first checkpoint is kept for good; null for none
 * @param maxGigabytes of all checkpoints together, in 10^9 bytes; the oldest go first, never the two newest sound ones
 *     (one with {@code keep} 1); null for no limit
 */
public record CheckpointConfig(
    Integer everySteps,
    Double everyMinutes,
    int keep,
    @Nullable Integer keepBest,
    @Nullable Long keepEverySteps,
    @Nullable Double maxGigabytes) {

  /** Keeps the newest alone. */
  public CheckpointConfig(Integer everySteps, Double everyMinutes, int keep) {
    this(everySteps, everyMinutes, keep, null, null, null);
  }
}
