package ai.valetts.interchange;

import ai.valetts.config.ConfigOverride;
import ai.valetts.text.Reading;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;

/** What a public voice's settings say beyond its networks, as keys of our configuration. */
final class VoiceSettings {
  private static final double SHORTEST_CLIP_SECONDS = 0.4;
  private static final int SYMBOLS_WITH_BLANKS = 1000;

  private VoiceSettings() {}

  /**
   * Adds them.
   *
   * @param language that the user names, or null
   * @param widthDivisor of the waveform discriminators
   * @param durationKind of duration discriminator
   */
  static void add(
      List<ConfigOverride> overrides,
      PublicConfig settings,
      Reading reading,
      String language,
      int widthDivisor,
      String durationKind,
      String origin) {
    boolean blanks = reading.isPiper() || settings.flag("data.add_blank", "add_blank").orElse(false);
    put(overrides, origin, "text.addBlank", blanks);
    put(overrides, origin, "text.normalization", "none");
    if (blanks) {
      put(overrides, origin, "text.maxSymbols", SYMBOLS_WITH_BLANKS);
    }
    String voice = language != null ? language : settings.text("espeak.voice").orElse("en-us").replaceFirst("^.*/", "");
    overrides.add(ConfigOverride.text("text.language", voice, origin));
    if (!voice.startsWith("en")) {
      put(overrides, origin, "validation.sentences", "[]");
    }
    put(overrides, origin, "model.discriminatorWidthDivisor", widthDivisor);
    put(overrides, origin, "model.durationDiscriminator", durationKind);
    settings.number("train.learning_rate", "learning_rate")
        .ifPresent(rate -> put(overrides, origin, "optimizer.learningRate", rate));
    settings.number("train.lr_decay", "lr_decay")
        .ifPresent(decay -> put(overrides, origin, "optimizer.learningRateDecay", decay));
    settings.number("train.eps", "eps").ifPresent(eps -> put(overrides, origin, "optimizer.epsilon", eps));
    settings.number("train.c_mel", "c_mel").ifPresent(weight -> put(overrides, origin, "optimizer.melWeight", weight));
    settings.number("train.c_kl", "c_kl").ifPresent(weight -> put(overrides, origin, "optimizer.klWeight", weight));
    JsonNode betas = settings.at("train.betas", "betas");
    if (betas.isArray() && betas.size() == 2) {
      put(overrides, origin, "optimizer.beta1", betas.get(0).asDouble());
      put(overrides, origin, "optimizer.beta2", betas.get(1).asDouble());
    }
    settings.integer("train.batch_size", "batch_size")
        .filter(size -> size >= 1 && size <= 1024)
        .ifPresent(size -> put(overrides, origin, "data.batchSize", size));
    settings.number("inference.noise_scale").ifPresent(scale -> put(overrides, origin, "synthesis.noiseScale", scale));
    settings.number("inference.noise_w")
        .ifPresent(scale -> put(overrides, origin, "synthesis.durationNoiseScale", scale));
    settings.number("inference.length_scale")
        .ifPresent(scale -> put(overrides, origin, "synthesis.lengthScale", scale));
    shortestClip(overrides, origin);
  }

  /** Each clip must fill a training segment. */
  private static void shortestClip(List<ConfigOverride> overrides, String origin) {
    double segment = value(overrides, "training.segmentSamples");
    double rate = value(overrides, "audio.sampleRateHz");
    double seconds = Math.max(SHORTEST_CLIP_SECONDS, Math.ceil(1000 * segment / rate) / 1000);
    put(overrides, origin, "data.minSeconds", String.format(Locale.ROOT, "%.3f", seconds));
  }

  private static double value(List<ConfigOverride> overrides, String key) {
    return overrides.stream()
        .filter(override -> override.key().equals(key))
        .mapToDouble(override -> Double.parseDouble(override.value()))
        .findFirst()
        .orElseThrow();
  }

  private static void put(List<ConfigOverride> overrides, String origin, String key, Object value) {
    overrides.add(new ConfigOverride(key, value.toString(), origin));
  }
}
