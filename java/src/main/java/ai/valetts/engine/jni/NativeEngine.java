package ai.valetts.engine.jni;

import ai.valetts.config.AudioConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.EngineInternalException;
import ai.valetts.engine.EngineSystem;
import ai.valetts.engine.InvalidEngineArgumentException;
import ai.valetts.engine.ParityCheck;
import ai.valetts.engine.ParityRow;
import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.Voice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;

/** The engine on libvaletts. Thread-safe; one is enough for a process. */
public final class NativeEngine implements Engine {
  static final int SPECTROGRAM_MEL = 0;
  static final int SPECTROGRAM_LINEAR = 1;

  private final Path libraryFolder;

  private NativeEngine(Path libraryFolder) {
    this.libraryFolder = libraryFolder;
  }

  /**
   * Prepares this process for every JavaCPP library, the audio decoder's among them. To be called before any is used,
   * engine or not; later calls change nothing.
   *
   * @param cacheFolder where native libraries from inside the jar are unpacked
   */
  public static void prepareProcess(Path cacheFolder) {
    NativeLibraries.configureJavaCpp(cacheFolder);
  }

  /**
   * Loads the native core.
   *
   * @param cacheFolder where native libraries from inside the jar are unpacked
   * @throws EngineInternalException if the core or libtorch is missing or does not fit, with the way to mend it
   */
  public static NativeEngine open(Path cacheFolder) {
    return new NativeEngine(NativeLibraries.load(cacheFolder));
  }

  /** The folder the core was loaded from. */
  public Path libraryFolder() {
    return libraryFolder;
  }

  @Override
  public EngineSystem system() {
    try (CoreBinding.SystemFacts facts = new CoreBinding.SystemFacts()) {
      CoreBinding.check(CoreBinding.vt_system_query(facts));
      String devices = CoreBinding.text(facts.cuda_devices());
      List<String> names = Arrays.stream(devices.split("\n")).filter(name -> !name.isBlank()).toList();
      return new EngineSystem(
          CoreBinding.text(facts.core_version()),
          CoreBinding.text(facts.libtorch_version()),
          CoreBinding.text(facts.cpu_capability()),
          facts.cuda_built() != 0,
          names,
          facts.threads());
    }
  }

  @Override
  public TrainingSession createSession(EngineConfig config) {
    try (CoreBinding.SessionSettings settings = new CoreBinding.SessionSettings();
        BytePointer device = CoreBinding.utf8(config.device())) {
      CoreBinding.Session session = new CoreBinding.Session();
      CoreBinding.check(CoreBinding.vt_session_config_init(settings));
      SessionSettingsWriter.write(config, settings, device);
      CoreBinding.check(CoreBinding.vt_session_create(settings, session));
      return new NativeTrainingSession(session, config);
    }
  }

  @Override
  public Voice openVoice(EngineConfig config, Path generatorFile) {
    try (CoreBinding.SessionSettings settings = new CoreBinding.SessionSettings();
        BytePointer device = CoreBinding.utf8(config.device());
        BytePointer file = CoreBinding.utf8(generatorFile.toAbsolutePath().toString())) {
      CoreBinding.Speech voice = new CoreBinding.Speech();
      CoreBinding.check(CoreBinding.vt_session_config_init(settings));
      SessionSettingsWriter.write(config, settings, device);
      CoreBinding.check(CoreBinding.vt_voice_open(settings, file, voice));
      return new NativeVoice("Voice of " + generatorFile, voice);
    }
  }

  @Override
  public Spectrogram melSpectrogram(AudioConfig config, float[] samples) {
    return spectrogram(config, SPECTROGRAM_MEL, config.melBins(), samples);
  }

  @Override
  public Spectrogram linearSpectrogram(AudioConfig config, float[] samples) {
    return spectrogram(config, SPECTROGRAM_LINEAR, config.fftSize() / 2 + 1, samples);
  }

  @Override
  public List<ParityRow> checkParity(ParityCheck check) {
    try (CoreBinding.ParityQuestion question = new CoreBinding.ParityQuestion();
        BytePointer folder = CoreBinding.utf8(check.folder().toAbsolutePath().toString());
        BytePointer set = CoreBinding.utf8(check.set());
        BytePointer device = CoreBinding.utf8(check.device())) {
      question
          .folder_utf8(folder)
          .set(set)
          .device(device)
          .precision(SessionSettingsWriter.precision("precision", check.precision()))
          .plain_path(check.plainPath() ? 1 : 0)
          .threads(check.threads());
      CoreBinding.ParityAnswer answer = new CoreBinding.ParityAnswer();
      CoreBinding.check(CoreBinding.vt_parity_check(question, answer));
      try (CoreBinding.ParityLine line = new CoreBinding.ParityLine()) {
        List<ParityRow> rows = new ArrayList<>();
        long count = CoreBinding.vt_parity_row_count(answer);
        for (long index = 0; index < count; index++) {
          CoreBinding.check(CoreBinding.vt_parity_row_at(answer, index, line));
          rows.add(
              new ParityRow(
                  check.set(),
                  CoreBinding.text(line.tensor()),
                  ParityRow.Kind.values()[line.kind()],
                  line.error(),
                  line.error_limit(),
                  line.passed() != 0));
        }
        return rows;
      } finally {
        CoreBinding.vt_parity_destroy(answer);
      }
    }
  }

  @Override
  public Batch.Allocator batchMemory(String device) {
    return new DeviceBuffers(device);
  }

  private static Spectrogram spectrogram(AudioConfig config, int kind, int bins, float[] samples) {
    if (config.hopLength() < 1) {
      throw new InvalidEngineArgumentException("audio.hopLength is " + config.hopLength() + ", must be at least 1");
    }
    try (CoreBinding.AudioSettings settings = new CoreBinding.AudioSettings()) {
      SessionSettingsWriter.write(config, settings);
      float[] values = new float[Math.multiplyExact(Math.max(bins, 0), samples.length / config.hopLength())];
      int[] frames = new int[1];
      CoreBinding.check(
          CoreBinding.vt_spectrogram(settings, kind, samples, samples.length, values, values.length, frames));
      return new Spectrogram(bins, frames[0], values);
    }
  }
}
