package ai.valetts.app;

import ai.valetts.config.ConfigException;
import ai.valetts.config.TrainingConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.engine.EngineConfig;
import java.util.List;

/** What the engine is told of a configuration once symbols and speakers are known. */
final class EngineConfigs {
  private EngineConfigs() {}

  /**
   * @throws ConfigException if the configuration's vocabulary or speakers are fewer than there are
   */
  static EngineConfig of(ValettsConfig config, int symbols, int speakers) {
    TrainingConfig training = config.training();
    return of(config, symbols, speakers, training.threads(), training.device(), precision(training.precision()));
  }

  /** A run has resolved {@code auto} before; nothing else computes in other than float32 unasked. */
  private static String precision(String configured) {
    return configured == null || configured.equals(MachineChoice.AUTO) ? "fp32" : configured;
  }

  static EngineConfig of(ValettsConfig config, int symbols, int speakers, int threads, String device, String precision) {
    Integer vocabulary = config.model().vocabularySize();
    if (vocabulary != null && vocabulary < symbols) {
      throw new ConfigException(config.name(), List.of("model.vocabularySize: " + vocabulary + " is fewer than the "
          + symbols + " symbols of the symbol table; null takes as many as there are"));
    }
    Integer speakerCount = config.model().speakerCount();
    if (speakerCount != null && speakerCount < speakers) {
      throw new ConfigException(config.name(), List.of("model.speakerCount: " + speakerCount + " is fewer than the "
          + speakers + " speakers of the data; null takes as many as there are"));
    }
    return new EngineConfig(
        config.audio(),
        config.model(),
        config.optimizer(),
        vocabulary == null ? symbols : vocabulary,
        speakerCount == null ? Math.max(1, speakers) : speakerCount,
        config.training().segmentSamples(),
        threads,
        config.training().seed(),
        device,
        precision,
        Boolean.TRUE.equals(config.training().referencePadding()));
  }
}
