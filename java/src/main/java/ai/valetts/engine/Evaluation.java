package ai.valetts.engine;

/**
 * Sums over held-out utterances; add two to pool them.
 *
 * @param melL1Sum sum of absolute log-mel differences between recording and posterior reconstruction
 * @param melCount frames times bins in that sum
 * @param klSum nats, summed over channels and frames
 * @param durationErrorSum sum over tokens of |log predicted - log aligned duration|
 */
public record Evaluation(
    double melL1Sum, long melCount, double klSum, long frames, double durationErrorSum, long tokens) {

  public static final Evaluation ZERO = new Evaluation(0, 0, 0, 0, 0, 0);

  public Evaluation plus(Evaluation other) {
    return new Evaluation(
        melL1Sum + other.melL1Sum,
        melCount + other.melCount,
        klSum + other.klSum,
        frames + other.frames,
        durationErrorSum + other.durationErrorSum,
        tokens + other.tokens);
  }

  /** Mean absolute log-mel difference, natural-log units; NaN without frames. */
  public double melL1() {
    return melL1Sum / melCount;
  }

  /** Nats per frame, summed over channels. */
  public double kl() {
    return klSum / frames;
  }

  /** Mean absolute log-duration error per token. */
  public double durationError() {
    return durationErrorSum / tokens;
  }
}
