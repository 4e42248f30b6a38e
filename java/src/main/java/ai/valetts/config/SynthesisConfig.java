package ai.valetts.config;

/**
 * Scales of inference (VITS, section 2.5; defaults 0.667, 0.8 and 1).
 *
 * @param noiseScale standard deviation of the prior's noise
 * @param durationNoiseScale standard deviation of the stochastic duration predictor's noise
 * @param lengthScale factor on durations; larger speaks slower
 */
public record SynthesisConfig(float noiseScale, float durationNoiseScale, float lengthScale) {}
