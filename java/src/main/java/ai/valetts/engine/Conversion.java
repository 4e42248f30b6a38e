package ai.valetts.engine;

/**
 * A recording to convert to another voice.
 *
 * @param samples in -1..1 at the config's sample rate
 * @param sourceSpeakerId who speaks in it
 * @param targetSpeakerId who shall speak
 * @param seed same seed, same audio
 */
public record Conversion(float[] samples, int sourceSpeakerId, int targetSpeakerId, long seed) {}
