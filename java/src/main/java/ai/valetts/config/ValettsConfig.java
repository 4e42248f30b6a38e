package ai.valetts.config;

import java.util.List;

/**
 * A whole run as its YAML file states it. Built only by {@link ConfigLoader}, which has checked every rule; each part of
 * the program receives the one section it needs.
 *
 * @param name the run's name, letters, digits, {@code . _ -}
 */
public record ValettsConfig(
    String name,
    AudioConfig audio,
    TextConfig text,
    DataConfig data,
    ModelConfig model,
    OptimizerConfig optimizer,
    TrainingConfig training,
    ValidationConfig validation,
    CheckpointConfig checkpoint,
    MonitorConfig monitor,
    SynthesisConfig synthesis) {

  /** The same configuration with other recordings. */
  public ValettsConfig withSources(List<DataConfig.Source> sources) {
    return new ValettsConfig(
        name,
        audio,
        text,
        data.withSources(sources),
        model,
        optimizer,
        training,
        validation,
        checkpoint,
        monitor,
        synthesis);
  }
}
