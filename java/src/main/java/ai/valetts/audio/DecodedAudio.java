package ai.valetts.audio;

/**
 * One recording as the network hears it.
 *
 * @param samples mono, nominally -1..1, at the rate that was asked for
 * @param sourceSampleRateHz the file's own rate
 * @param sourceChannels the file's own channels
 */
public record DecodedAudio(float[] samples, int sourceSampleRateHz, int sourceChannels) {}
