package ai.valetts.training;

import ai.valetts.config.OptimizerConfig;
import ai.valetts.config.TrainingConfig;
import ai.valetts.engine.BatchTotals;
import ai.valetts.engine.StepParams;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * What each step is taken with: three learning rates by schedule, loss weights, gradient limit. Rises over the warm-up;
 * then the reference's schedule multiplies all rates by one factor after every epoch, the cosine brings them down to zero at
 * the last step. Some settings can be changed on the way; rates that the configuration leaves to the generator's follow it.
 * One thread.
 */
final class StepSettings {
  private static final String RATE = "optimizer.learningRate";
  private static final String MEL = "optimizer.melWeight";
  private static final String KL = "optimizer.klWeight";
  private static final String CLIP = "optimizer.gradientClip";

  /** What can be changed between two steps. */
  static final Set<String> CHANGEABLE_KEYS = Set.of(RATE, MEL, KL, CLIP);

  private final OptimizerConfig config;
  private final Long maxSteps;
  private final Map<String, Double> values = new LinkedHashMap<>();

  StepSettings(OptimizerConfig config, TrainingConfig training) {
    this.config = config;
    this.maxSteps = training.maxSteps();
    values.put(RATE, config.learningRate());
    values.put(MEL, config.melWeight());
    values.put(KL, config.klWeight());
    values.put(CLIP, config.gradientClip() == null ? 0.0 : config.gradientClip());
  }

  /**
   * Goes on with another value.
   *
   * @param key one of {@link #CHANGEABLE_KEYS}
   * @return the value before; 0 for a limit that was not set
   */
  double change(String key, double value) {
    return values.put(key, value);
  }

  StepParams at(long step, int epoch) {
    double factor = warmUp(step) * ("cosine".equals(config.schedule()) ? cosine(step) : decay(epoch));
    return new StepParams(
        step,
        values.get(RATE) * factor,
        orGenerators(config.discriminatorLearningRate()) * factor,
        orGenerators(config.durationDiscriminatorLearningRate()) * factor,
        values.get(MEL),
        values.get(KL),
        values.get(CLIP),
        0,
        BatchTotals.OWN);
  }

  private double warmUp(long step) {
    return config.warmupSteps() == null ? 1 : Math.min(1, (step + 1.0) / config.warmupSteps());
  }

  private double decay(int epoch) {
    return Math.pow(config.learningRateDecay(), epoch);
  }

  private double cosine(long step) {
    return 0.5 * (1 + Math.cos(Math.PI * Math.min(1, (double) step / maxSteps)));
  }

  private double orGenerators(Double rate) {
    return rate == null ? values.get(RATE) : rate;
  }
}
