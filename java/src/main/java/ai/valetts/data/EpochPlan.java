package ai.valetts.data;

import java.util.ArrayList;
import java.util.List;

/**
 * The batches of one epoch, a pure function of clips, seed and epoch. Clips of similar length share a batch; what a
 * length bucket has left over moves into the next longer one, so that only the very last batch can be smaller.
 */
final class EpochPlan {
  private EpochPlan() {}

  static List<List<Clip>> plan(
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
