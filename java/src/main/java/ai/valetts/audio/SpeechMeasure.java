package ai.valetts.audio;

/**
 * What can be said of a recording without listening: its level, offset and clipping, and where its silence ends.
 *
 * @param peak largest magnitude, 0..1
 * @param levelDb root mean square of the louder part, in dB below full scale; at most 0, and -120 for digital silence
 * @param offset mean of all samples
 * @param clippedShare samples in runs at full scale, as a share of all
 * @param firstSound first sample that is not silence; 0 where nothing is trimmed
 * @param endOfSound sample behind the last that is not silence; the length where nothing is trimmed
 */
public record SpeechMeasure(
    double peak, double levelDb, double offset, double clippedShare, int firstSound, int endOfSound) {

  /** Silence in the sense of digital zero, in dB. */
  public static final double SILENCE_DB = -120;

  /** Frames this far below the loudest are pauses and do not count towards the level. */
  private static final double ACTIVE_DB = 30;

  private static final double FRAMES_PER_SECOND = 100;

  /** 16-bit samples stop at 32,767, and converters leave a little less. */
  private static final float FULL_SCALE = 0.998f;

  /** Fewer samples in a row can be a true peak. */
  private static final int CLIPPED_RUN = 3;

  /**
   * Measures mono samples.
   *
   * @param silenceDb how far below the loudest 10 ms silence begins; NaN trims nothing
   * @param marginSeconds silence to leave at both ends
   */
  public static SpeechMeasure of(float[] samples, int sampleRateHz, double silenceDb, double marginSeconds) {
    int frame = (int) Math.max(1, Math.round(sampleRateHz / FRAMES_PER_SECOND));
    double sum = 0;
    double peak = 0;
    for (float sample : samples) {
      sum += sample;
      peak = Math.max(peak, Math.abs(sample));
    }
    double offset = samples.length == 0 ? 0 : sum / samples.length;
    double[] energies = energies(samples, frame, offset);
    double loudest = 0;
    for (double energy : energies) {
      loudest = Math.max(loudest, energy);
    }
    int first = 0;
    int end = samples.length;
    if (!Double.isNaN(silenceDb) && loudest > 0) {
      double threshold = loudest * Math.pow(10, -silenceDb / 10);
      int margin = (int) Math.round(marginSeconds * sampleRateHz);
      int firstFrame = 0;
      while (energies[firstFrame] < threshold) {
        firstFrame++;
      }
      int lastFrame = energies.length - 1;
      while (energies[lastFrame] < threshold) {
        lastFrame--;
      }
      first = Math.max(0, firstFrame * frame - margin);
      end = Math.min(samples.length, (lastFrame + 1) * frame + margin);
    }
    return new SpeechMeasure(peak, level(energies, loudest), offset, clippedShare(samples), first, end);
  }

  /** Mean squares of consecutive frames around the offset; the last may be shorter. */
  private static double[] energies(float[] samples, int frame, double offset) {
    double[] energies = new double[(samples.length + frame - 1) / frame];
    for (int i = 0; i < energies.length; i++) {
      int from = i * frame;
      int to = Math.min(samples.length, from + frame);
      double sum = 0;
      for (int n = from; n < to; n++) {
        double value = samples[n] - offset;
        sum += value * value;
      }
      energies[i] = sum / (to - from);
    }
    return energies;
  }

  private static double level(double[] energies, double loudest) {
    double threshold = loudest * Math.pow(10, -ACTIVE_DB / 10);
    double sum = 0;
    int active = 0;
    for (double energy : energies) {
      if (energy >= threshold) {
        sum += energy;
        active++;
      }
    }
    return active == 0 || sum == 0 ? SILENCE_DB : Math.max(SILENCE_DB, 10 * Math.log10(sum / active));
  }

  private static double clippedShare(float[] samples) {
    int clipped = 0;
    int run = 0;
    float side = 0;
    for (int i = 0; i <= samples.length; i++) {
      float now = i == samples.length || Math.abs(samples[i]) < FULL_SCALE ? 0 : Math.signum(samples[i]);
      if (now != 0 && now == side) {
        run++;
      } else {
        clipped += run >= CLIPPED_RUN ? run : 0;
        run = now == 0 ? 0 : 1;
      }
      side = now;
    }
    return samples.length == 0 ? 0 : (double) clipped / samples.length;
  }
}
