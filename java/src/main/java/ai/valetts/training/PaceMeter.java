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
    steps = steps * KEPT + 1;
    stepSeconds = stepSeconds * KEPT + seconds;
    utterances = utterances * KEPT + utterancesInBatch;
    audioSeconds = audioSeconds * KEPT + audioSecondsInBatch;
    // Each batch shape is slow once, while libtorch allocates for it: let that fade, or the reserve stays too large.
    slowestStepSeconds = Math.max(seconds, slowestStepSeconds * KEPT);
    allSteps++;
  }

  long steps() {
    return allSteps;
  }

  /** Mean of late; 0 before the first step. */
  double secondsPerStep() {
    return steps == 0 ? 0 : stepSeconds / steps;
  }

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
