package ai.valetts.audio;

/**
 * Changes a recording's length at equal pitch by overlapping pieces of it where they fit best (WSOLA), and its pitch with
 * its length by interpolation. For small changes of speech; stateless.
 */
public final class TimeStretch {
  private static final double WINDOW_SECONDS = 0.03;
  private static final double SEARCH_SECONDS = 0.008;

  /** Candidates are compared at every so many samples; neighbours are alike. */
  private static final int SEARCH_STEP = 2;

  /** Half width of the interpolation's kernel, in samples. */
  private static final int KERNEL = 12;

  private TimeStretch() {}

  /**
   * The same speech at another tempo.
   *
   * @param factor length of the result for each sample of the input, 0.5 to 2
   */
  public static float[] stretch(float[] samples, int sampleRateHz, double factor) {
    int window = 2 * (int) Math.round(WINDOW_SECONDS * sampleRateHz / 2);
    int hop = window / 2;
    int length = (int) Math.round(samples.length * factor);
    if (length < 2 * window || samples.length < 2 * window || factor == 1) {
      return resample(samples, length);
    }
    int search = (int) Math.round(SEARCH_SECONDS * sampleRateHz);
    float[] result = new float[length];
    float[] weight = new float[length];
    int previous = 0;
    for (int at = 0; at < length; at += hop) {
      int wanted = (int) Math.round(at / factor);
      int start = at == 0 ? 0 : bestStart(samples, previous + hop, wanted, search, hop);
      for (int i = 0; i < window && at + i < length; i++) {
        float hann = (float) (0.5 - 0.5 * Math.cos(2 * Math.PI * (i + 0.5) / window));
        int from = start + i;
        result[at + i] += from < samples.length ? hann * samples[from] : 0;
        weight[at + i] += hann;
      }
      previous = start;
    }
    for (int i = 0; i < length; i++) {
      result[i] /= Math.max(weight[i], 1e-3f);
    }
    return result;
  }

  /** Where, near {@code wanted}, the input goes on most like it goes on at {@code natural}. */
  private static int bestStart(float[] samples, int natural, int wanted, int search, int overlap) {
    int last = samples.length - overlap;
    if (natural > last || natural < 0) {
      return Math.max(0, Math.min(wanted, samples.length - 1));
    }
    int best = Math.max(0, Math.min(wanted, last));
    double bestMatch = Double.NEGATIVE_INFINITY;
    for (int start = Math.max(0, wanted - search); start <= Math.min(last, wanted + search); start += SEARCH_STEP) {
      double product = 0;
      double energy = 1e-9;
      for (int i = 0; i < overlap; i += SEARCH_STEP) {
        product += (double) samples[natural + i] * samples[start + i];
        energy += (double) samples[start + i] * samples[start + i];
      }
      double match = product / Math.sqrt(energy);
      if (match > bestMatch) {
        bestMatch = match;
        best = start;
      }
    }
    return best;
  }

  /** The whole input read faster or slower, so that it has the given length; the pitch changes with it. */
  public static float[] resample(float[] samples, int length) {
    float[] result = new float[length];
    double step = length == 0 ? 1 : (double) samples.length / length;
    double cutoff = Math.min(1, 1 / step);
    for (int i = 0; i < length; i++) {
      double centre = i * step;
      int middle = (int) Math.floor(centre);
      double sum = 0;
      double total = 0;
      for (int n = middle - KERNEL + 1; n <= middle + KERNEL; n++) {
        double distance = n - centre;
        double x = Math.PI * distance * cutoff;
        double sinc = Math.abs(x) < 1e-9 ? 1 : Math.sin(x) / x;
        double kernel = sinc * (0.5 + 0.5 * Math.cos(Math.PI * distance / (KERNEL + 1)));
        total += kernel;
        sum += n >= 0 && n < samples.length ? kernel * samples[n] : 0;
      }
      result[i] = (float) (sum / total);
    }
    return result;
  }
}
