package ai.valetts.checkpoint;

/**
 * Where a run stands, apart from its tensors. Everything a resumed loop needs to go on as if it had never stopped.
 *
 * @param step steps completed; the next step has this number
 * @param epoch 0-based epoch of the next batch
 * @param batchInEpoch 0-based place of the next batch in its epoch
 * @param trainedSeconds wall time of the loop so far, validation and checkpoints included, over all resumes
 * @param skippedSteps steps left out because a loss was not finite
 * @param validationSeconds how long the latest validation took; 0 before the first
 * @param checkpointSeconds how long the latest checkpoint took; 0 before the first
 * @param validationMelL1 mel L1 of the held-out clips at the latest validation; NaN before the first
 * @param bestValidationMelL1 the lowest of all validations; NaN before the first
 * @param validationsSinceBest how many were not lower since then
 */
public record TrainState(
    long step,
    int epoch,
    int batchInEpoch,
    double trainedSeconds,
    long skippedSteps,
    double validationSeconds,
    double checkpointSeconds,
    double validationMelL1,
    double bestValidationMelL1,
    int validationsSinceBest) {

  /** A run that has not begun. */
  public static final TrainState START = new TrainState(0, 0, 0, 0, 0, 0, 0, Double.NaN, Double.NaN, 0);

  /** One more step is done and the loader stands at the given place. */
  public TrainState advancedTo(int nextEpoch, int nextBatchInEpoch) {
    return new TrainState(
        step + 1,
        nextEpoch,
        nextBatchInEpoch,
        trainedSeconds,
        skippedSteps,
        validationSeconds,
        checkpointSeconds,
        validationMelL1,
        bestValidationMelL1,
        validationsSinceBest);
  }

  /** One of the steps that are done was left out. */
  public TrainState withSkippedStep() {
    return new TrainState(
        step, epoch, batchInEpoch, trainedSeconds, skippedSteps + 1, validationSeconds, checkpointSeconds,
        validationMelL1, bestValidationMelL1, validationsSinceBest);
  }

  public TrainState withTrainedSeconds(double seconds) {
    return new TrainState(
        step, epoch, batchInEpoch, seconds, skippedSteps, validationSeconds, checkpointSeconds, validationMelL1,
        bestValidationMelL1, validationsSinceBest);
  }

  /**
   * The held-out clips were measured.
   *
   * @param melL1 NaN where there is none, which is neither better nor worse
   */
  public TrainState withValidation(double seconds, double melL1) {
    boolean measured = !Double.isNaN(melL1);
    boolean best = measured && !(melL1 >= bestValidationMelL1);
    int since = best ? 0 : validationsSinceBest + (measured ? 1 : 0);
    return new TrainState(
        step, epoch, batchInEpoch, trainedSeconds, skippedSteps, seconds, checkpointSeconds, melL1,
        best ? melL1 : bestValidationMelL1, since);
  }

  public TrainState withCheckpointSeconds(double seconds) {
    return new TrainState(
        step, epoch, batchInEpoch, trainedSeconds, skippedSteps, validationSeconds, seconds, validationMelL1,
        bestValidationMelL1, validationsSinceBest);
  }
}
