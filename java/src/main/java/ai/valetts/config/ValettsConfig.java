package ai.valetts.config;

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
    SynthesisConfig synthesis) {}
