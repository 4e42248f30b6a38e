package ai.valetts.training;

import ai.valetts.checkpoint.TrainState;
import ai.valetts.config.TrainingConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * When a run is over: at its last step, epoch or minute or the end of its budget, whichever comes first.
 *
 * <p>The minutes are wall time of the loop over all resumes, with validation and checkpoints. The loop stops early
 * enough that one more step, the last validation and the last checkpoint end inside the budget, as far as the latest
 * of each foretells.
 */
final class StopRules {
  /** Room for a validation or checkpoint that is slower than the one before it. */
  private static final double SLACK = 1.5;

  private final TrainingConfig config;
  private final int batchesPerEpoch;
  private final double validationCostSteps;
  private final List<TimeLimit> timeLimits;

  /**
   * One limit and how far away it is.
   *
   * @param name e.g. {@code 400 steps}
   * @param fraction used up, 0 to 1
   * @param secondsToGo at the present pace
   * @param reached whether the run ends here
   */
  record Limit(String name, double fraction, double secondsToGo, boolean reached) {}

  /**
   * @param validationCostSteps training steps that the first validation may take; later ones are measured
   * @param timeLimits beside those of the configuration
   */
  StopRules(
      TrainingConfig config, int batchesPerEpoch, double validationCostSteps, List<TimeLimit> timeLimits) {
    this.timeLimits = List.copyOf(timeLimits);
    this.config = config;
    this.batchesPerEpoch = batchesPerEpoch;
    this.validationCostSteps = validationCostSteps;
  }

  /** The limit that ends the run first, reached or not; empty when the run has none. */
  Optional<Limit> nearest(TrainState state, PaceMeter pace, double secondsPerStepOverall) {
    List<Limit> limits = new ArrayList<>();
    if (config.maxSteps() != null) {
      long left = config.maxSteps() - state.step();
      limits.add(limit(config.maxSteps() + " steps", (double) state.step() / config.maxSteps(),
          left * secondsPerStepOverall, left <= 0));
    }
    if (config.maxEpochs() != null) {
      double done = state.epoch() + (double) state.batchInEpoch() / batchesPerEpoch;
      double left = config.maxEpochs() - done;
      limits.add(limit(config.maxEpochs() + " epochs", done / config.maxEpochs(),
          left * batchesPerEpoch * secondsPerStepOverall, state.epoch() >= config.maxEpochs()));
    }
    List<TimeLimit> times = new ArrayList<>(timeLimits);
    if (config.maxMinutes() != null) {
      times.add(new TimeLimit(minutes(config.maxMinutes()), config.maxMinutes() * 60));
    }
    for (TimeLimit time : times) {
      double left = time.seconds() - state.trainedSeconds();
      limits.add(limit(time.name(), time.seconds() > 0 ? state.trainedSeconds() / time.seconds() : 1, left,
          left <= reserveSeconds(state, pace)));
    }
    return limits.stream()
        .min(Comparator.comparing((Limit limit) -> !limit.reached()).thenComparingDouble(Limit::secondsToGo));
  }

  /** Time that the last step, validation and checkpoint will take. */
  double reserveSeconds(TrainState state, PaceMeter pace) {
    double validation =
        state.validationSeconds() > 0
            ? state.validationSeconds()
            : validationCostSteps * pace.secondsPerStep();
    return pace.slowestStepSeconds() + SLACK * (validation + state.checkpointSeconds());
  }

  private static Limit limit(String name, double fraction, double secondsToGo, boolean reached) {
    return new Limit(name, Math.min(1, Math.max(0, fraction)), Math.max(0, secondsToGo), reached);
  }

  private static String minutes(double value) {
    return value == Math.rint(value)
        ? "%d minutes".formatted((long) value)
        : String.format(Locale.ROOT, "%.2f minutes", value);
  }
}
