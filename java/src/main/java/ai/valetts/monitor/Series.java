package ai.valetts.monitor;

import java.util.Arrays;

/**
 * A measurement over the steps of a run, thinned out as it grows: each point stands for a stretch of neighbouring
 * measurements and knows their mean, least and greatest. One thread.
 */
public final class Series {
  private final int most;
  private long[] steps = new long[16];
  private double[] means = new double[16];
  private double[] lows = new double[16];
  private double[] highs = new double[16];
  private int[] counts = new int[16];
  private int size;
  private int stretch = 1;
  private double last = Double.NaN;

  /**
   * @param most points above which neighbours become one
   */
  Series(int most) {
    this.most = Math.max(2, most);
  }

  /** Points held. */
  public int size() {
    return size;
  }

  /** Last step of a point's stretch. */
  public long step(int point) {
    return steps[point];
  }

  /** Mean of the finite measurements in the stretch; NaN without one. */
  public double mean(int point) {
    return means[point];
  }

  /** Least of the finite measurements in the stretch; NaN without one. */
  public double low(int point) {
    return lows[point];
  }

  /** Greatest of the finite measurements in the stretch; NaN without one. */
  public double high(int point) {
    return highs[point];
  }

  /** The newest measurement; NaN before the first. */
  public double last() {
    return last;
  }

  void add(long step, double value) {
    last = value;
    if (size > 0 && counts[size - 1] < stretch) {
      merge(size - 1, step, value, value, value, 1);
      return;
    }
    if (size == most) {
      halve();
      add(step, value);
      return;
    }
    if (size == steps.length) {
      int room = size * 2;
      steps = Arrays.copyOf(steps, room);
      means = Arrays.copyOf(means, room);
      lows = Arrays.copyOf(lows, room);
      highs = Arrays.copyOf(highs, room);
      counts = Arrays.copyOf(counts, room);
    }
    set(size++, step, value, value, value, 1);
  }

  /** Forgets what lies beyond a step, and a stretch that reaches beyond it. */
  void cutAfter(long step) {
    while (size > 0 && steps[size - 1] > step) {
      size--;
    }
    last = size == 0 ? Double.NaN : means[size - 1];
  }

  private void halve() {
    stretch *= 2;
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (kept > 0 && counts[kept - 1] + counts[i] <= stretch) {
        merge(kept - 1, steps[i], means[i], lows[i], highs[i], counts[i]);
      } else {
        set(kept++, steps[i], means[i], lows[i], highs[i], counts[i]);
      }
    }
    size = kept;
  }

  private void merge(int point, long step, double mean, double low, double high, int count) {
    if (!Double.isFinite(means[point])) {
      set(point, step, mean, low, high, counts[point] + count);
      return;
    }
    if (Double.isFinite(mean)) {
      means[point] = (means[point] * counts[point] + mean * count) / (counts[point] + count);
      lows[point] = Math.min(lows[point], low);
      highs[point] = Math.max(highs[point], high);
    }
    steps[point] = step;
    counts[point] += count;
  }

  private void set(int point, long step, double mean, double low, double high, int count) {
    steps[point] = step;
    means[point] = mean;
    lows[point] = low;
    highs[point] = high;
    counts[point] = count;
  }
}
