package ai.valetts.training;

import ai.valetts.config.OptimizerConfig;
import ai.valetts.engine.StepParams;

/** The reference's schedule: three learning rates, each multiplied by one factor after every epoch. */
final class LearningRateSchedule {
  private final OptimizerConfig config;

  LearningRateSchedule(OptimizerConfig config) {
    this.config = config;
  }

  StepParams at(long step, int epoch) {
    double decay = Math.pow(config.learningRateDecay(), epoch);
    return new StepParams(
        step,
        config.learningRate() * decay,
        orGenerators(config.discriminatorLearningRate()) * decay,
        orGenerators(config.durationDiscriminatorLearningRate()) * decay);
  }

  private double orGenerators(Double rate) {
    return rate == null ? config.learningRate() : rate;
  }
}
