package ai.valetts.training;

/**
 * Speed of late: sums over the steps that fade by 2 % with each, so that some fifty steps count. The loop's thread
 * only.
 */
final class PaceMeter {
  private static final double KEPT = 0.98;

  private double steps;
  private double stepSeconds;
  private double utterances;
  private double audioSeconds;
  private double slowestStepSeconds;
  private long allSteps;

  void step(double seconds, int utterancesInBatch, double audioSecondsInBatch) {
    step(seconds, seconds, utterancesInBatch, audioSecondsInBatch);
  }

  /**
   * @param seconds a step's share of the time that it and those read with it took
   * @param turnSeconds how long the loop was at it, with the reading if it was the last before
   */
  void step(double seconds, double turnSeconds, int utterancesInBatch, double audioSecondsInBatch) {
    steps = steps * KEPT + 1;
    stepSeconds = stepSeconds * KEPT + seconds;
    utterances = utterances * KEPT + utterancesInBatch;
    audioSeconds = audioSeconds * KEPT + audioSecondsInBatch;
    // Each batch shape is slow once, while libtorch allocates for it: let that fade, or the reserve stays too large.
    slowestStepSeconds = Math.max(turnSeconds, slowestStepSeconds * KEPT);
    allSteps++;
  }

  /** The loop was so long at a step that is not read yet: what is kept in reserve for one must know. */
  void turn(double seconds) {
    slowestStepSeconds = Math.max(slowestStepSeconds, seconds);
  }

  long steps() {
    return allSteps;
  }

  /** Mean of late; 0 before the first step. */
  double secondsPerStep() {
    return steps == 0 ? 0 : stepSeconds / steps;
  }

  /** The longest that the loop was at a step of late. */
  double slowestStepSeconds() {
    return slowestStepSeconds;
  }

  double stepsPerSecond() {
    return stepSeconds == 0 ? 0 : steps / stepSeconds;
  }

  double utterancesPerSecond() {
    return stepSeconds == 0 ? 0 : utterances / stepSeconds;
  }

  /** Seconds of recordings a second, which is the same number as hours an hour. */
  double audioHoursPerHour() {
    return stepSeconds == 0 ? 0 : audioSeconds / stepSeconds;
  }
}
