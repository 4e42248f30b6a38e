package ai.valetts.app;

import ai.valetts.engine.Batch;
import ai.valetts.engine.EngineConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A batch of quiet noise and random symbols, for steps whose work matters and whose result does not. */
final class NoiseBatch {
  private static final double AMPLITUDE = 0.1;

  private NoiseBatch() {}

  /**
   * @param size utterances
   * @param samples of each, at least one frame
   * @param tokens of each, at most one for each frame
   * @param seed the same gives the same batch
   */
  static Batch of(int size, int samples, int tokens, EngineConfig config, long seed) {
    Batch.Storage storage = new Batch.Storage();
    storage.ensure(size, tokens, samples);
    Random random = new Random(seed);
    List<String> names = new ArrayList<>();
    for (int b = 0; b < size; b++) {
      for (int t = 0; t < tokens; t++) {
        storage.tokenIds.put(b * tokens + t, random.nextInt(config.vocabularySize()));
      }
      for (int n = 0; n < samples; n++) {
        storage.samples.put(b * samples + n, (float) (AMPLITUDE * random.nextGaussian()));
      }
      storage.tokenLengths.put(b, tokens);
      storage.sampleLengths.put(b, samples);
      storage.speakerIds.put(b, b % config.speakerCount());
      storage.utteranceIds.put(b, b);
      names.add("noise " + b);
    }
    return new Batch(storage, tokens, samples, names, released -> {});
  }
}
