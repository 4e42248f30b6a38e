package ai.valetts.checkpoint;

import ai.valetts.config.CheckpointConfig;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Decides which checkpoints of a run stay. Stateless. */
final class Retention {
  private static final double BYTES_PER_GIGABYTE = 1e9;

  private final CheckpointConfig config;

  /**
   * A checkpoint that may go.
   *
   * @param step its number
   * @param bytes on disk
   * @param melL1 of the validation before it; NaN where none is known
   */
  record Candidate(long step, long bytes, double melL1) {}

  Retention(CheckpointConfig config) {
    this.config = config;
  }

  /** Newest sound checkpoints that stay whatever their size. */
  int untouchable() {
    return Math.min(2, Math.max(1, config.keep()));
  }

  /**
   * @param newestFirst all checkpoints
   * @param untouchable steps that stay
   * @return steps that stay
   */
  Set<Long> kept(List<Candidate> newestFirst, Set<Long> untouchable) {
    Set<Long> kept = new HashSet<>(untouchable);
    newestFirst.stream().limit(Math.max(1, config.keep())).forEach(candidate -> kept.add(candidate.step()));
    addBest(newestFirst, kept);
    addMilestones(newestFirst, kept);
    enforceSize(newestFirst, untouchable, kept);
    return kept;
  }

  /** Of checkpoints that follow the same validation, the one that lies nearest to it stands for all. */
  private void addBest(List<Candidate> newestFirst, Set<Long> kept) {
    Map<Double, Candidate> nearest = new HashMap<>();
    for (Candidate candidate : newestFirst) {
      if (Double.isFinite(candidate.melL1())) {
        nearest.put(candidate.melL1(), candidate);
      }
    }
    nearest.values().stream()
        .sorted(Comparator.comparingDouble(Candidate::melL1))
        .limit(config.keepBest() == null ? 0 : config.keepBest())
        .forEach(candidate -> kept.add(candidate.step()));
  }

  private void addMilestones(List<Candidate> newestFirst, Set<Long> kept) {
    if (config.keepEverySteps() == null) {
      return;
    }
    Map<Long, Long> first = new HashMap<>();
    for (Candidate candidate : newestFirst) {
      first.put(candidate.step() / config.keepEverySteps(), candidate.step());
    }
    first.remove(0L);
    kept.addAll(first.values());
  }

  private void enforceSize(List<Candidate> newestFirst, Set<Long> untouchable, Set<Long> kept) {
    if (config.maxGigabytes() == null) {
      return;
    }
    double bytes = newestFirst.stream().filter(c -> kept.contains(c.step())).mapToDouble(Candidate::bytes).sum();
    for (int i = newestFirst.size() - 1; i >= 0 && bytes > config.maxGigabytes() * BYTES_PER_GIGABYTE; i--) {
      Candidate oldest = newestFirst.get(i);
      if (kept.contains(oldest.step()) && !untouchable.contains(oldest.step())) {
        kept.remove(oldest.step());
        bytes -= oldest.bytes();
      }
    }
  }
}
