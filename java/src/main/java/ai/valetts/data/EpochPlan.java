package ai.valetts.data;

import ai.valetts.config.DataConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The batches of an epoch, a pure function of clips, configuration, seed and epoch. Clips of similar length share a
 * batch. Every clip is in every epoch.
 *
 * <p>With a fixed size, what a length bucket has left over moves into the next longer one, so that only the very last
 * batch can be smaller. With a budget of frames, clips are sorted by length and cut into batches that fit, padding
 * counted; a little noise on the lengths keeps neighbours from meeting in every epoch.
 */
final class EpochPlan {
  /** Frames are padded up to multiples of this, so that few different shapes reach the device. */
  static final int FRAME_STEP = 16;

  /** Noise on the sort key, as a share of the length to either side. */
  private static final double JITTER = 0.02;

  private final List<Clip> clips;
  private final DataConfig data;
  private final int hopLength;
  private final long seed;

  EpochPlan(List<Clip> clips, DataConfig data, int hopLength, long seed) {
    this.clips = clips;
    this.data = data;
    this.hopLength = hopLength;
    this.seed = seed;
  }

  List<List<Clip>> batches(int epoch) {
    return data.batchFrames() == null
        ? ofFixedSize(clips, data.bucketFrames(), hopLength, data.batchSize(), seed, epoch)
        : withinBudget(epoch);
  }

  /** Frames with their padding for each frame without, over a whole epoch; 1 where there is no padding. */
  double paddedShare(int epoch) {
    long padded = 0;
    long real = 0;
    for (List<Clip> batch : batches(epoch)) {
      int longest = 0;
      for (Clip clip : batch) {
        int frames = clip.frames(hopLength);
        longest = Math.max(longest, frames);
        real += frames;
      }
      padded += (long) batch.size() * padded(longest);
    }
    return real == 0 ? 1 : (double) padded / real;
  }

  private static int padded(int frames) {
    return (frames + FRAME_STEP - 1) / FRAME_STEP * FRAME_STEP;
  }

  static List<List<Clip>> ofFixedSize(
      List<Clip> clips, List<Integer> bucketFrames, int hopLength, int batchSize, long seed, int epoch) {
    List<List<Clip>> buckets = new ArrayList<>();
    for (int i = 0; i <= bucketFrames.size(); i++) {
      buckets.add(new ArrayList<>());
    }
    for (Clip clip : clips) {
      int bucket = 0;
      while (bucket < bucketFrames.size() && clip.frames(hopLength) > bucketFrames.get(bucket)) {
        bucket++;
      }
      buckets.get(bucket).add(clip);
    }
    Shuffle shuffle = new Shuffle(seed, epoch);
    List<List<Clip>> batches = new ArrayList<>();
    List<Clip> remaining = new ArrayList<>();
    for (List<Clip> bucket : buckets) {
      shuffle.shuffle(bucket);
      remaining.addAll(bucket);
      int start = 0;
      for (; start + batchSize <= remaining.size(); start += batchSize) {
        batches.add(List.copyOf(remaining.subList(start, start + batchSize)));
      }
      remaining = new ArrayList<>(remaining.subList(start, remaining.size()));
    }
    if (!remaining.isEmpty()) {
      batches.add(List.copyOf(remaining));
    }
    shuffle.shuffle(batches);
    return batches;
  }

  private record Keyed(double key, int frames, Clip clip) {}

  private List<List<Clip>> withinBudget(int epoch) {
    Shuffle shuffle = new Shuffle(seed, epoch);
    List<Keyed> sorted = new ArrayList<>(clips.size());
    for (Clip clip : clips) {
      int frames = clip.frames(hopLength);
      sorted.add(new Keyed(frames * (1 + JITTER * (2 * shuffle.fraction() - 1)), frames, clip));
    }
    sorted.sort(Comparator.comparingDouble(Keyed::key).thenComparingLong(keyed -> keyed.clip.id()));
    List<List<Clip>> batches = new ArrayList<>();
    List<Clip> batch = new ArrayList<>();
    int longest = 0;
    for (Keyed next : sorted) {
      int grown = Math.max(longest, next.frames);
      boolean fits = (batch.size() + 1L) * padded(grown) <= data.batchFrames() && batch.size() < data.batchSize();
      if (!fits && !batch.isEmpty()) {
        batches.add(List.copyOf(batch));
        batch.clear();
        grown = next.frames;
      }
      batch.add(next.clip);
      longest = grown;
    }
    if (!batch.isEmpty()) {
      batches.add(List.copyOf(batch));
    }
    shuffle.shuffle(batches);
    return batches;
  }

  static int batchCount(int clips, int batchSize) {
    return (clips + batchSize - 1) / batchSize;
  }

  /**
   * Fisher-Yates over SplitMix64. Written out because a resumed run must see the order of the run it continues, on any
   * Java release.
   */
  private static final class Shuffle {
    private long state;

    Shuffle(long seed, int epoch) {
      state = mix(mix(seed + 0x9e3779b97f4a7c15L) + epoch);
    }

    <T> void shuffle(List<T> list) {
      for (int i = list.size() - 1; i > 0; i--) {
        int j = (int) Long.remainderUnsigned(next(), i + 1L);
        T swapped = list.get(i);
        list.set(i, list.get(j));
        list.set(j, swapped);
      }
    }

    /** 0 to below 1. */
    double fraction() {
      return (next() >>> 11) * 0x1.0p-53;
    }

    private long next() {
      state += 0x9e3779b97f4a7c15L;
      return mix(state);
    }

    private static long mix(long z) {
      long x = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
      x = (x ^ (x >>> 27)) * 0x94d049bb133111ebL;
      return x ^ (x >>> 31);
    }
  }
}
