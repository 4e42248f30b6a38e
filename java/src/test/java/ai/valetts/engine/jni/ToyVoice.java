package ai.valetts.engine.jni;

import ai.valetts.config.AudioConfig;
import ai.valetts.config.ModelConfig;
import ai.valetts.config.OptimizerConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.EngineConfig;
import java.util.ArrayList;
import java.util.List;

/** The smallest networks that have every part of VITS2, and a batch for them. */
final class ToyVoice {
  static final int HOP = 64;

  private ToyVoice() {}

  static AudioConfig audio() {
    return new AudioConfig(8000, 256, HOP, 256, 20, 0f, 0f);
  }

  static EngineConfig config() {
    return config("fp32");
  }

  static EngineConfig config(String precision) {
    return config(precision, null);
  }

  static EngineConfig config(String precision, String decoder) {
    ModelConfig model =
        new ModelConfig(
            12, 1, 0, "mel", 16, 16, 32, 2, 3, 3, 0f, false, 2, "pre_conv", 2, 1, "stochastic", "v2", true, decoder, 2,
            List.of(3), List.of(List.of(1, 3)), List.of(8, 8), List.of(16, 16), 16, 16);
    OptimizerConfig optimizer = new OptimizerConfig(2e-4, null, null, 0.999875, null, null, 0.8, 0.99, 1e-9, 0.01, 45, 1, null, null);
    return new EngineConfig(audio(), model, optimizer, 12, 1, 32 * HOP, 1, 1234, "cpu", precision, false);
  }

  /** Two utterances of different lengths: tones with a little structure. */
  static Batch batch() {
    Batch.Storage storage = new Batch.Storage();
    int[] tokens = {9, 5};
    int[] samples = {96 * HOP, 48 * HOP + 17};
    int maxSamples = samples[0];
    storage.ensure(2, tokens[0], maxSamples);
    List<String> names = new ArrayList<>();
    for (int item = 0; item < 2; item++) {
      names.add("tone " + item);
      storage.tokenLengths.put(item, tokens[item]);
      storage.sampleLengths.put(item, samples[item]);
      storage.speakerIds.put(item, 0);
      storage.utteranceIds.put(item, 100 + item);
      for (int t = 0; t < tokens[item]; t++) {
        storage.tokenIds.put(item * tokens[0] + t, 1 + t % 11);
      }
      for (int n = 0; n < samples[item]; n++) {
        storage.samples.put(item * maxSamples + n, (float) (0.3 * Math.sin(n * (0.1 + 0.05 * (n / 1500 + item)))));
      }
    }
    return new Batch(storage, tokens[0], maxSamples, names, returned -> {});
  }
}
