package ai.valetts.data;

import ai.valetts.config.DataConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The batches of an epoch, a pure function of clips, configuration, seed and epoch. Clips of similar length share a
 * batch. Every clip is in every epoch, unless {@code data.balance} asks for some more often than others.
 *
 * <p>With a fixed size, what a length bucket has left over moves into the next longer one, so that only the very last
 * batch can be smaller. With a budget of frames, clips are sorted by length and cut where batches that fit, padding
 * counted, cost least in all; a little noise on the lengths keeps neighbours from meeting in every epoch. Where clips are
 * few and of many lengths, batches become smaller to bring padding near {@link #MOST_PADDING}; within the least cost of a batch
 * that is not always reached.
 */
final class EpochPlan {
  /** Frames are padded up to multiples of this, so that few different shapes reach the device. */
  static final int FRAME_STEP = 16;

  /**
   * What a batch costs beyond its frames, as a share of the budget: the optimizers' work and a little for the host. Small
   * batches pad less, and where clips are few and of many lengths it is worth making more of them.
   */
  private static final double BATCH_COST = 1.0 / 40;

  /** Frames with their padding for each frame without that a plan within a budget aims at. */
  private static final double MOST_PADDING = 1.07;

  /** Of {@link #BATCH_COST}, from one attempt at less padding to the next. */
  private static final double CHEAPER = 0.75;

  /** Below this share of {@link #BATCH_COST} a batch costs next to nothing, and no plan pads less. */
  private static final double CHEAPEST = 1.0 / 64;

  /** Noise on the sort key, as a share of the length to either side. */
  private static final double JITTER = 0.02;

  private final List<Clip> clips;
  private final DataConfig data;
  private final int hopLength;
  private final long seed;
  private final BalancedEpoch balanced;

  EpochPlan(List<Clip> clips, DataConfig data, int hopLength, long seed) {
    this.clips = clips;
    this.data = data;
    this.hopLength = hopLength;
    this.seed = seed;
    this.balanced =
        data.balance() == null || clips.isEmpty() ? null : new BalancedEpoch(clips, data.balance(), seed);
  }

  List<List<Clip>> batches(int epoch) {
    List<Clip> chosen = balanced == null ? clips : balanced.clips(epoch);
    return data.batchFrames() == null
        ? ofFixedSize(chosen, data.bucketFrames(), hopLength, data.batchSize(), seed, epoch)
        : withinBudget(chosen, epoch);
  }

  /** Frames with their padding for each frame without, over a whole epoch; 1 where there is no padding. */
  double paddedShare(int epoch) {
    long padded = 0;
    long real = 0;
    for (List<Clip> batch : batches(epoch)) {
      int longest = 0;
      for (Clip clip : batch) {
        longest = Math.max(longest, padded(clip.samples()));
        real += clip.frames(hopLength);
      }
      padded += (long) batch.size() * longest;
    }
    return real == 0 ? 1 : (double) padded / real;
  }

  /** Least and most times that an epoch has a speaker's clips; once for all where nothing is balanced. */
  double[] repetitions() {
    return balanced == null ? new double[] {1, 1} : balanced.range();
  }

  /** Samples that a clip can take: a slower tempo makes it longer. */
  private long longest(Clip clip) {
    boolean varies = data.augmentation() != null && data.augmentation().tempoShare() != null;
    return varies ? (long) Math.ceil(clip.samples() / (1 - data.augmentation().tempoShare())) : clip.samples();
  }

  /** Frames that a batch makes of its longest clip; what lies beyond its last whole frame takes room too. */
  private int padded(long samples) {
    long step = (long) FRAME_STEP * hopLength;
    return (int) ((samples + step - 1) / step) * FRAME_STEP;
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
    SplitMix shuffle = new SplitMix(seed, epoch);
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

  /**
   * Where to cut a sorted row of clips so that all batches together cost least: each its frames, padding counted, and
   * {@code batchCost} of the budget besides.
   *
   * @return for each number of clips the start of the last batch of that many
   */
  private int[] cheapestCuts(List<Keyed> sorted, double batchCost) {
    double perBatch = batchCost * data.batchFrames();
    double[] least = new double[sorted.size() + 1];
    int[] cuts = new int[sorted.size() + 1];
    for (int end = 1; end <= sorted.size(); end++) {
      least[end] = Double.MAX_VALUE;
      int longest = 0;
      for (int start = end - 1; start >= 0 && end - start <= data.batchSize(); start--) {
        longest = Math.max(longest, sorted.get(start).padded);
        long frames = (long) (end - start) * longest;
        // A clip that is longer than the budget is a batch of its own.
        if (frames > data.batchFrames() && end - start > 1) {
          break;
        }
        double cost = least[start] + frames + perBatch;
        if (cost < least[end]) {
          least[end] = cost;
          cuts[end] = start;
        }
      }
    }
    return cuts;
  }

  /** As above, with batches as large as padding allows. */
  private int[] cutsWithLittlePadding(List<Keyed> sorted) {
    double batchCost = BATCH_COST;
    int[] cuts = cheapestCuts(sorted, batchCost);
    while (paddedShare(sorted, cuts) > MOST_PADDING && batchCost > CHEAPEST * BATCH_COST) {
      batchCost *= CHEAPER;
      cuts = cheapestCuts(sorted, batchCost);
    }
    return cuts;
  }

  private static double paddedShare(List<Keyed> sorted, int[] cuts) {
    long padded = 0;
    long real = 0;
    for (int end = sorted.size(); end > 0; end = cuts[end]) {
      int longest = 0;
      for (Keyed keyed : sorted.subList(cuts[end], end)) {
        longest = Math.max(longest, keyed.padded);
        real += keyed.frames;
      }
      padded += (long) (end - cuts[end]) * longest;
    }
    return real == 0 ? 1 : (double) padded / real;
  }

  /**
   * @param padded frames of a batch in which this is the longest
   */
  private record Keyed(double key, int frames, int padded, Clip clip) {}

  private List<List<Clip>> withinBudget(List<Clip> chosen, int epoch) {
    SplitMix shuffle = new SplitMix(seed, epoch);
    List<Keyed> sorted = new ArrayList<>(chosen.size());
    for (Clip clip : chosen) {
      long samples = longest(clip);
      int frames = (int) (samples / hopLength);
      sorted.add(new Keyed(frames * shuffle.between(1 - JITTER, 1 + JITTER), frames, padded(samples), clip));
    }
    sorted.sort(Comparator.comparingDouble(Keyed::key).thenComparingLong(keyed -> keyed.clip.id()));
    int[] cuts = cutsWithLittlePadding(sorted);
    List<List<Clip>> batches = new ArrayList<>();
    for (int end = sorted.size(), start; end > 0; end = start) {
      start = cuts[end];
      batches.add(sorted.subList(start, end).stream().map(Keyed::clip).toList());
    }
    shuffle.shuffle(batches);
    return batches;
  }

  static int batchCount(int clips, int batchSize) {
    return (clips + batchSize - 1) / batchSize;
  }
}
