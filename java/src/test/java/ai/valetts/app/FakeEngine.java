package ai.valetts.app;

import ai.valetts.config.AudioConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.Conversion;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.EngineIoException;
import ai.valetts.engine.EngineSystem;
import ai.valetts.engine.ParityCheck;
import ai.valetts.engine.ParityRow;
import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.Utterance;
import ai.valetts.engine.Voice;
import ai.valetts.training.FakeSession;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** An engine whose sessions are {@link FakeSession}s and whose voice hums, a tenth of a second a symbol. */
class FakeEngine implements Engine {
  final List<FakeSession> sessions = new ArrayList<>();
  final List<Utterance> spoken = new ArrayList<>();
  Consumer<FakeSession> onCreate = session -> {};
  final List<ParityCheck> parityChecks = new ArrayList<>();
  final Map<String, List<ParityRow>> parityRows = new HashMap<>();
  final List<EngineConfig> configs = new ArrayList<>();
  int threads = 2;
  List<String> gpus = List.of();

  @Override
  public EngineSystem system() {
    return new EngineSystem("fake", "none", "none", !gpus.isEmpty(), gpus, threads);
  }

  @Override
  public TrainingSession createSession(EngineConfig config) {
    FakeSession session = new FakeSession();
    configs.add(config);
    onCreate.accept(session);
    sessions.add(session);
    return session;
  }

  @Override
  public Voice openVoice(EngineConfig config, Path generatorFile) {
    if (!Files.exists(generatorFile)) {
      throw new EngineIoException(generatorFile + " is missing");
    }
    return new Voice() {
      @Override
      public float[] synthesize(Utterance utterance) {
        spoken.add(utterance);
        float[] samples = new float[utterance.tokenIds().length * config.audio().sampleRateHz() / 10];
        for (int i = 0; i < samples.length; i++) {
          samples[i] = (float) (0.1 * Math.sin(i * 0.05));
        }
        return samples;
      }

      @Override
      public float[] convert(Conversion conversion) {
        return conversion.samples();
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public Batch.Allocator batchMemory(String device) {
    return Batch.Allocator.DIRECT;
  }

  @Override
  public List<ParityRow> checkParity(ParityCheck check) {
    parityChecks.add(check);
    return parityRows.getOrDefault(check.set(), List.of());
  }

  @Override
  public Spectrogram melSpectrogram(AudioConfig config, float[] samples) {
    return energies(config, samples, config.melBins());
  }

  @Override
  public Spectrogram linearSpectrogram(AudioConfig config, float[] samples) {
    return energies(config, samples, config.fftSize() / 2 + 1);
  }

  private static Spectrogram energies(AudioConfig config, float[] samples, int bins) {
    int frames = samples.length / config.hopLength();
    float[] values = new float[bins * frames];
    for (int bin = 0; bin < bins; bin++) {
      for (int frame = 0; frame < frames; frame++) {
        values[bin * frames + frame] = Math.abs(samples[frame * config.hopLength() + bin % config.hopLength()]);
      }
    }
    return new Spectrogram(bins, frames, values);
  }
}
