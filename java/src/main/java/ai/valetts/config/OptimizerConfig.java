package ai.valetts.config;

/**
 * The three AdamW optimizers and the loss weights.
 *
 * @param learningRate of the generator
 * @param discriminatorLearningRate null takes {@code learningRate}
 * @param durationDiscriminatorLearningRate null takes {@code learningRate}
 * @param learningRateDecay factor applied to all three after each epoch
 * @param beta1 first-moment decay
 * @param beta2 second-moment decay
 * @param epsilon added to the denominator
 * @param weightDecay decoupled weight decay
 * @param melWeight weight of the mel L1 loss
 * @param klWeight weight of the Kullback-Leibler loss
 */
public record OptimizerConfig(
    double learningRate,
    Double discriminatorLearningRate,
    Double durationDiscriminatorLearningRate,
    double learningRateDecay,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    double melWeight,
    double klWeight) {}
