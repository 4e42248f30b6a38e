package ai.valetts.engine;

/**
 * What the loop decides for one step.
 *
 * @param step 0-based global step; keys the random draws and the alignment noise
 */
public record StepParams(
    long step,
    double generatorLearningRate,
    double discriminatorLearningRate,
    double durationDiscriminatorLearningRate) {}
