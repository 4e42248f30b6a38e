package ai.valetts.engine;

/**
 * What the loop decides for one step.
 *
 * @param step 0-based global step; keys the random draws and the alignment noise
 * @param melWeight of the mel L1 loss
 * @param klWeight of the Kullback-Leibler loss
 * @param gradientLimit to which the norm of each network's gradient is cut; 0 leaves it
 * @param lossScaleLimit fp16: lowers the loss scale to this before the step; 0 leaves it
 * @param totals of the batch
 */
public record StepParams(
    long step,
    double generatorLearningRate,
    double discriminatorLearningRate,
    double durationDiscriminatorLearningRate,
    double melWeight,
    double klWeight,
    double gradientLimit,
    double lossScaleLimit,
    BatchTotals totals) {

  /** The same step over a batch with these totals. */
  public StepParams over(BatchTotals batch) {
    return new StepParams(
        step, generatorLearningRate, discriminatorLearningRate, durationDiscriminatorLearningRate, melWeight, klWeight,
        gradientLimit, lossScaleLimit, batch);
  }

  /** The same step with the loss scale lowered first. */
  public StepParams withLossScaleLimit(double limit) {
    return new StepParams(
        step, generatorLearningRate, discriminatorLearningRate, durationDiscriminatorLearningRate, melWeight, klWeight,
        gradientLimit, limit, totals);
  }
}
