package ai.valetts.data;

import ai.valetts.config.DataConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which clips an epoch has when speakers or languages are to be heard more evenly than they were recorded. An epoch is as
 * long as without. Each speaker goes through all own clips before any comes again, from epoch to epoch, so none is
 * forgotten.
 */
final class BalancedEpoch {
  private final List<Group> groups = new ArrayList<>();
  private final long seed;

  /**
   * One speaker in one language.
   *
   * @param perEpoch clips of theirs in an epoch
   */
  private record Group(List<Clip> clips, int perEpoch) {}

  private record Share(List<Clip> clips, String language, double weight) {}

  BalancedEpoch(List<Clip> clips, DataConfig.Balance balance, long seed) {
    this.seed = seed;
    Map<String, Map<String, List<Clip>>> recorded = new TreeMap<>();
    for (Clip clip : clips) {
      recorded
          .computeIfAbsent(clip.language(), language -> new TreeMap<>())
          .computeIfAbsent(clip.speaker(), speaker -> new ArrayList<>())
          .add(clip);
    }
    List<Share> shares = new ArrayList<>();
    recorded.forEach(
        (language, speakers) -> {
          double mass = speakers.values().stream().mapToDouble(own -> weight(own, balance)).sum();
          // A language's speakers share what is left of its mass.
          double even = Math.pow(mass, -balance.languages());
          speakers.values().forEach(own -> shares.add(new Share(own, language, weight(own, balance) * even)));
        });
    distribute(shares, clips.size());
  }

  private static double weight(List<Clip> own, DataConfig.Balance balance) {
    return Math.pow(own.size(), 1 - balance.speakers());
  }

  /** Largest remainders, so that an epoch has exactly {@code total} clips. */
  private void distribute(List<Share> shares, int total) {
    double sum = shares.stream().mapToDouble(Share::weight).sum();
    int[] counts = new int[shares.size()];
    List<Integer> byRemainder = new ArrayList<>();
    int given = 0;
    for (int i = 0; i < counts.length; i++) {
      counts[i] = (int) Math.floor(exact(shares.get(i), total, sum));
      given += counts[i];
      byRemainder.add(i);
    }
    byRemainder.sort(
        Comparator.comparingDouble((Integer i) -> counts[i] - exact(shares.get(i), total, sum)).thenComparing(i -> i));
    for (int i = 0; i < total - given; i++) {
      counts[byRemainder.get(i)]++;
    }
    for (int i = 0; i < counts.length; i++) {
      groups.add(new Group(shares.get(i).clips, counts[i]));
    }
  }

  private static double exact(Share share, int total, double sum) {
    return share.weight / sum * total;
  }

  /** The clips of an epoch, speaker by speaker; one can be there twice. */
  List<Clip> clips(int epoch) {
    List<Clip> chosen = new ArrayList<>();
    for (int g = 0; g < groups.size(); g++) {
      Group group = groups.get(g);
      long first = (long) epoch * group.perEpoch;
      long pass = -1;
      List<Clip> order = List.of();
      for (long place = first; place < first + group.perEpoch; place++) {
        if (place / group.clips.size() != pass) {
          pass = place / group.clips.size();
          order = new ArrayList<>(group.clips);
          new SplitMix(seed, g, pass).shuffle(order);
        }
        chosen.add(order.get((int) (place % group.clips.size())));
      }
    }
    return chosen;
  }

  /** Smallest and largest number of times that an epoch has a speaker's clips. */
  double[] range() {
    double least = Double.MAX_VALUE;
    double most = 0;
    for (Group group : groups) {
      double times = (double) group.perEpoch / group.clips.size();
      least = Math.min(least, times);
      most = Math.max(most, times);
    }
    return new double[] {least, most};
  }
}
