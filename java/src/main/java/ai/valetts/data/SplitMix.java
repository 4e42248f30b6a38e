package ai.valetts.data;

import java.util.List;

/**
 * SplitMix64. Written out because a resumed run must draw what the run it continues would have drawn, on any Java
 * release.
 */
final class SplitMix {
  private static final long STEP = 0x9e3779b97f4a7c15L;

  private long state;

  /** Draws that depend on all keys and their order. */
  SplitMix(long seed, long... keys) {
    state = mix(seed + STEP);
    for (long key : keys) {
      state = mix(state + key);
    }
  }

  /** Fisher-Yates. */
  <T> void shuffle(List<T> list) {
    for (int i = list.size() - 1; i > 0; i--) {
      int j = (int) Long.remainderUnsigned(next(), i + 1L);
      T swapped = list.get(i);
      list.set(i, list.get(j));
      list.set(j, swapped);
    }
  }

  /** {@code least} to below {@code most}. */
  double between(double least, double most) {
    return least + (next() >>> 11) * 0x1.0p-53 * (most - least);
  }

  /** Near enough to a normal distribution of mean 0 and variance 1: the sum of four even draws. */
  double gaussian() {
    long bits = next();
    double sum = 0;
    for (int i = 0; i < 4; i++) {
      sum += (bits & 0xffff) / 65536.0 - 0.5;
      bits >>>= 16;
    }
    return sum * Math.sqrt(3);
  }

  private long next() {
    state += STEP;
    return mix(state);
  }

  private static long mix(long z) {
    long x = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    x = (x ^ (x >>> 27)) * 0x94d049bb133111ebL;
    return x ^ (x >>> 31);
  }
}
