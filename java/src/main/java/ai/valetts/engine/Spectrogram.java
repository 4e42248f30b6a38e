package ai.valetts.engine;

/**
 * A spectrogram of one recording.
 *
 * @param bins frequency bins
 * @param frames spectrogram frames
 * @param values {@code values[bin * frames + frame]}
 */
public record Spectrogram(int bins, int frames, float[] values) {
  public float at(int bin, int frame) {
    return values[bin * frames + frame];
  }
}
