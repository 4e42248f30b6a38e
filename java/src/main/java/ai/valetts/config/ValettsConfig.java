package ai.valetts.config;

import java.util.List;

/**
 * A whole run as its YAML file states it. Built only by {@link ConfigLoader}, which has checked every rule; each part of
 * the program receives the one section it needs.
 *
 * @param name the run's name, letters, digits, {@code . _ -}
 * @param report null takes {@link ReportConfig#DEFAULT}
 * @param storage null keeps no copies beyond the run's own folder
 * @param cost null knows no price and no end of the session but that of Colab
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
    SynthesisConfig synthesis,
    @Nullable ReportConfig report,
    @Nullable StorageConfig storage,
    @Nullable CostConfig cost) {

  public ValettsConfig {
    report = report == null ? ReportConfig.DEFAULT : report;
  }

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
        synthesis,
        report,
        storage,
        cost);
  }

  /** The same configuration with its copies elsewhere; null keeps none. */
  public ValettsConfig withStorage(StorageConfig place) {
    return new ValettsConfig(
        name, audio, text, data, model, optimizer, training, validation, checkpoint, monitor, synthesis, report,
        place, cost);
  }
}
