package ai.valetts.engine;

/**
 * What a whole batch holds, over all its micro-batches: what losses are divided by.
 *
 * @param items utterances
 * @param frames sum over the utterances of {@code floor(samples / hopLength)}
 * @param tokens sum of the texts' symbols
 */
public record BatchTotals(long items, long frames, long tokens) {
  /** For a batch in one piece, whose totals the core counts itself. */
  public static final BatchTotals OWN = new BatchTotals(0, 0, 0);
}
