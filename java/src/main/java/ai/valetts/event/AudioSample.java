package ai.valetts.event;

/**
 * Audio to listen to.
 *
 * @param tag TensorBoard tag
 * @param samples in -1..1
 * @param text what is spoken
 */
public record AudioSample(String tag, float[] samples, int sampleRateHz, String text) {}
