package ai.valetts.config;

/**
 * The three AdamW optimizers and the loss weights.
 *
 * @param learningRate of the generator
 * @param discriminatorLearningRate null takes {@code learningRate}
 * @param durationDiscriminatorLearningRate null takes {@code learningRate}
 * @param learningRateDecay factor applied to all three after each epoch; with {@code cosine} not used
 * @param schedule {@code exponential} (the reference's decay after each epoch) or {@code cosine} (down to zero at
 *     {@code training.maxSteps}); null is {@code exponential}
 * @param warmupSteps over which all three rise from zero; null is none
 * @param beta1 first-moment decay
 * @param beta2 second-moment decay
 * @param epsilon added to the denominator
 * @param weightDecay decoupled weight decay
 * @param melWeight weight of the mel L1 loss
 * @param klWeight weight of the Kullback-Leibler loss
 * @param gradientClip to which the norm of each network's gradient is cut; null leaves it
 * @param averageDecay of a running mean of the generator's weights, which then speaks and is evaluated; null keeps none
 */
public record OptimizerConfig(
    double learningRate,
    Double discriminatorLearningRate,
    Double durationDiscriminatorLearningRate,
    double learningRateDecay,
    @Nullable String schedule,
    @Nullable Integer warmupSteps,
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    double melWeight,
    double klWeight,
    @Nullable Double gradientClip,
    @Nullable Double averageDecay) {}
