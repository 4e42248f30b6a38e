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
 */
public record TrainState(
    long step,
    int epoch,
    int batchInEpoch,
    double trainedSeconds,
    long skippedSteps,
    double validationSeconds,
    double checkpointSeconds) {

  /** A run that has not begun. */
  public static final TrainState START = new TrainState(0, 0, 0, 0, 0, 0, 0);

  /** One more step is done and the loader stands at the given place. */
  public TrainState advancedTo(int nextEpoch, int nextBatchInEpoch, boolean skipped) {
    return new TrainState(
        step + 1,
        nextEpoch,
        nextBatchInEpoch,
        trainedSeconds,
        skippedSteps + (skipped ? 1 : 0),
        validationSeconds,
        checkpointSeconds);
  }

  public TrainState withTrainedSeconds(double seconds) {
    return new TrainState(
        step, epoch, batchInEpoch, seconds, skippedSteps, validationSeconds, checkpointSeconds);
  }

  public TrainState withValidationSeconds(double seconds) {
    return new TrainState(step, epoch, batchInEpoch, trainedSeconds, skippedSteps, seconds, checkpointSeconds);
  }

  public TrainState withCheckpointSeconds(double seconds) {
    return new TrainState(step, epoch, batchInEpoch, trainedSeconds, skippedSteps, validationSeconds, seconds);
  }
}
