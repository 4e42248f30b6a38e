package ai.valetts.engine;

/**
 * Losses of one step as they enter the paper's sums (weights included).
 *
 * @param step its 0-based number
 * @param mel weight times L1
 * @param melL1 mean absolute log-mel difference before its weight, natural-log units
 * @param generatorParts adversarial loss per waveform discriminator (scale, then periods 2, 3, 5, 7, 11)
 * @param frames valid spectrogram frames in the batch
 * @param tokens valid text tokens in the batch
 * @param lossScale of this step; 1 without fp16
 * @param generatorSkipped fp16: its gradients overflowed, so that its step was left out and the scale halved
 * @param discriminatorSkipped the same of the waveform discriminators
 * @param durationDiscriminatorSkipped the same of the duration discriminator
 */
public record StepMetrics(
    long step,
    float generatorTotal,
    float generatorAdversarial,
    float featureMatching,
    float mel,
    float kl,
    float duration,
    float durationAdversarial,
    float discriminator,
    float durationDiscriminator,
    float[] generatorParts,
    float[] discriminatorRealParts,
    float[] discriminatorGeneratedParts,
    float melL1,
    float generatorGradientNorm,
    float discriminatorGradientNorm,
    float durationDiscriminatorGradientNorm,
    long frames,
    long tokens,
    float lossScale,
    boolean generatorSkipped,
    boolean discriminatorSkipped,
    boolean durationDiscriminatorSkipped) {}
