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
    DataConfig replaced =
        new DataConfig(
            List.copyOf(sources),
            data.batchSize(),
            data.bucketFrames(),
            data.minSeconds(),
            data.maxSeconds(),
            data.validationClips(),
            data.maxBad(),
            data.decodeThreads(),
            data.prefetchBatches());
    return new ValettsConfig(
        name, audio, text, replaced, model, optimizer, training, validation, checkpoint, monitor, synthesis);
  }
}
