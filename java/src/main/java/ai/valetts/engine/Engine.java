package ai.valetts.engine;

import ai.valetts.config.AudioConfig;
import java.nio.file.Path;
import java.util.List;

/** The native core. Thread-safe; the handles it returns are not: calls on one handle are serialised by the handle. */
public interface Engine {

  /** What the core was built with and what it can see now. */
  EngineSystem system();

  /**
   * Creates the three networks and their optimizers, initialised from the seed.
   *
   * @throws InvalidEngineArgumentException naming the field, or the device that is not there
   * @throws EngineOutOfMemoryException if they do not fit
   */
  TrainingSession createSession(EngineConfig config);

  /**
   * A voice from a {@code generator.safetensors} file.
   *
   * @throws EngineIoException if the file is missing, cut short or of other shapes
   */
  Voice openVoice(EngineConfig config, Path generatorFile);

  /** Log-mel spectrogram of one recording (samples in -1..1), {@code floor(N / hopLength)} frames. */
  Spectrogram melSpectrogram(AudioConfig config, float[] samples);

  /**
   * Compares the core with one set recorded from the public reference. A broken limit is a row that did not pass.
   *
   * @throws EngineIoException naming the file or tensor that is missing
   * @throws InvalidEngineArgumentException for a set, device or precision that the core does not know
   */
  List<ParityRow> checkParity(ParityCheck check);

  /** Memory for batches from which the device can be fed fastest: page-locked for a GPU. */
  Batch.Allocator batchMemory(String device);

  /** Linear magnitude spectrogram of one recording, {@code fftSize / 2 + 1} bins. */
  Spectrogram linearSpectrogram(AudioConfig config, float[] samples);
}
