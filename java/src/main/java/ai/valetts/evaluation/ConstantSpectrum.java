package ai.valetts.evaluation;

import ai.valetts.engine.Spectrogram;
import java.util.Arrays;
import java.util.List;

/**
 * The best guess that ignores its input: for every mel bin the median of the training set. Its mean absolute log-mel
 * error on held-out clips is what a model has to beat, since the median minimises that error among all constants.
 */
public final class ConstantSpectrum {
  private final float[] medians;

  private ConstantSpectrum(float[] medians) {
    this.medians = medians;
  }

  /**
   * @param logMels log-mel spectrograms of training clips, all with the same bins, at least one frame in all
   */
  public static ConstantSpectrum of(List<Spectrogram> logMels) {
    int bins = logMels.get(0).bins();
    int frames = logMels.stream().mapToInt(Spectrogram::frames).sum();
    if (frames == 0) {
      throw new IllegalArgumentException("the training clips have no frame");
    }
    float[] medians = new float[bins];
    float[] values = new float[frames];
    for (int bin = 0; bin < bins; bin++) {
      int count = 0;
      for (Spectrogram mel : logMels) {
        System.arraycopy(mel.values(), bin * mel.frames(), values, count, mel.frames());
        count += mel.frames();
      }
      Arrays.sort(values);
      medians[bin] = values[frames / 2];
    }
    return new ConstantSpectrum(medians);
  }

  /** Mean absolute log-mel error over all frames and bins of the given clips; NaN without a frame. */
  public double meanL1(List<Spectrogram> logMels) {
    double sum = 0;
    long count = 0;
    for (Spectrogram mel : logMels) {
      for (int bin = 0; bin < mel.bins(); bin++) {
        for (int frame = 0; frame < mel.frames(); frame++) {
          sum += Math.abs(mel.at(bin, frame) - medians[bin]);
        }
      }
      count += (long) mel.bins() * mel.frames();
    }
    return count == 0 ? Double.NaN : sum / count;
  }
}
