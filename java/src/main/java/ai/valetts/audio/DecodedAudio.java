package ai.valetts.audio;

/**
 * One recording as the network hears it.
 *
 * @param samples mono, nominally -1..1, at the rate that was asked for
 * @param sourceSampleRateHz the file's own rate
 * @param sourceChannels the file's own channels
 * @param container FFmpeg's name of the file format, e.g. {@code wav} or {@code mov,mp4,m4a,3gp,3g2,mj2}
 */
public record DecodedAudio(float[] samples, int sourceSampleRateHz, int sourceChannels, String container) {}
