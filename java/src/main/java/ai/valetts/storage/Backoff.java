package ai.valetts.storage;

import java.time.Duration;
import java.util.random.RandomGenerator;

/** Waits that double, up to a cap, each between half and the whole of it, so that many clients do not come at once. */
final class Backoff {
  private final Duration first;
  private final Duration cap;
  private final RandomGenerator random;
  private int failures;

  Backoff(Duration first, Duration cap, RandomGenerator random) {
    this.first = first;
    this.cap = cap;
    this.random = random;
  }

  /**
   * The wait after one more failure.
   *
   * @param asked the store's own wish, at least which is waited; null if it has none
   */
  Duration next(Duration asked) {
    double whole = Math.min(cap.toMillis(), first.toMillis() * Math.pow(2, Math.min(failures, 30)));
    failures++;
    Duration own = Duration.ofMillis((long) (whole * (0.5 + 0.5 * random.nextDouble())));
    return asked != null && asked.compareTo(own) > 0 ? asked : own;
  }

  void reset() {
    failures = 0;
  }
}
