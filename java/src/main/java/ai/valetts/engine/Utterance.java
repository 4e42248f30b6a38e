package ai.valetts.engine;

/**
 * One sentence to speak.
 *
 * @param tokenIds symbol ids, at least one
 * @param speakerId 0-based
 * @param noiseScale standard deviation of the prior's noise
 * @param durationNoiseScale no effect with the deterministic predictor
 * @param lengthScale larger speaks slower
 * @param seed same seed, same audio
 */
public record Utterance(
    int[] tokenIds, int speakerId, float noiseScale, float durationNoiseScale, float lengthScale, long seed) {}
