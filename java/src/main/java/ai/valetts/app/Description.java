package ai.valetts.app;

import ai.valetts.checkpoint.Manifest;
import ai.valetts.checkpoint.RunIdentity;
import ai.valetts.checkpoint.TrainState;
import ai.valetts.config.DataConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.BatchTotals;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.ModelDescription;
import ai.valetts.engine.StepMetrics;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.TrainingSession;
import ai.valetts.text.SymbolTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Tells what a run or checkpoint holds, or how large the networks of a configuration are. */
final class Description {
  private static final int NOISE_TOKENS = 16;

  private final Supplier<Engine> engine;
  private final Consumer<String> notice;

  /** The engine is opened only where networks are built. */
  Description(Supplier<Engine> engine, Consumer<String> notice) {
    this.engine = engine;
    this.notice = notice;
  }

  InfoResult ofFolder(Path folder) {
    SavedVoice saved = SavedVoice.open(folder, notice);
    Manifest manifest = saved.checkpoint().manifest();
    TrainState state = manifest.state();
    RunIdentity identity = manifest.identity();
    Table checkpoint = new Table();
    checkpoint.row("folder", saved.checkpoint().directory().toString());
    Optional<Map<String, Object>> origin =
        RunDirectory.readJson(saved.checkpoint().file(Interchange.ORIGIN));
    if (origin.isPresent()) {
      checkpoint.row("voice", saved.config().name());
      Table imported = origin(origin.get());
      return new InfoResult(
          List.of(
              checkpoint.section("Checkpoint"),
              imported.section("Origin"),
              voice(saved).section("Voice"),
              files(manifest).section("Files, all verified")));
    }
    checkpoint.row("run", saved.config().name());
    checkpoint.count("step", state.step());
    checkpoint.count("epoch", state.epoch());
    checkpoint.row("trained", minutes(state.trainedSeconds()));
    checkpoint.count("skipped steps", state.skippedSteps());
    checkpoint.row("device", identity.device() + ", " + identity.threads() + " threads");
    checkpoint.row("seed", String.valueOf(identity.seed()));
    return new InfoResult(
        List.of(
            checkpoint.section("Checkpoint"),
            voice(saved).section("Voice"),
            files(manifest).section("Files, all verified")));
  }

  private static Table origin(Map<String, Object> origin) {
    Table table = new Table();
    origin.forEach((name, value) -> {
      if (value instanceof String text) {
        table.row(name, text);
      } else if (name.equals("remarks") && value instanceof List<?> remarks) {
        remarks.forEach(remark -> table.row("", String.valueOf(remark)));
      }
    });
    return table;
  }

  private static Table voice(SavedVoice saved) {
    Table voice = new Table();
    SymbolTable symbols = saved.symbols();
    String reading = symbols.reading() == null ? symbols.kind() : symbols.reading().text();
    voice.row("speakers", String.join(", ", saved.speakers().names()));
    voice.row("symbols", symbols.size() + " (" + reading + ")");
    voice.row("sample rate", saved.config().audio().sampleRateHz() + " Hz");
    return voice;
  }

  private static Table files(Manifest manifest) {
    Table files = new Table();
    for (Manifest.FileEntry file : manifest.files()) {
      files.row(file.name(), String.format(Locale.ROOT, "%,d bytes, SHA-256 %s", file.bytes(), file.sha256()));
    }
    return files;
  }

  InfoResult ofConfig(ValettsConfig config, boolean step) {
    long speakers = config.data().sources().stream()
        .map(DataConfig.Source::speaker)
        .filter(Objects::nonNull)
        .distinct()
        .count();
    Integer vocabulary = config.model().vocabularySize();
    int symbols = vocabulary == null ? SymbolTable.piper().size() : vocabulary;
    Engine opened = engine.get();
    ValettsConfig settled = step ? new MachineChoice(opened.system(), notice).forNewRun(config) : config;
    EngineConfig engineConfig = EngineConfigs.of(settled, symbols, (int) speakers);
    List<InfoResult.Section> sections = new ArrayList<>();
    try (TrainingSession session = opened.createSession(engineConfig)) {
      ModelDescription model = session.describe();
      sections.add(parameters(model, engineConfig));
      sections.add(memory(model, "Memory with networks and optimizers"));
      if (step) {
        sections.add(step(session, config, engineConfig));
        sections.add(memory(session.describe(), "Memory after the step"));
      }
    }
    return new InfoResult(sections);
  }

  private static InfoResult.Section parameters(ModelDescription model, EngineConfig config) {
    Table table = new Table();
    table.count("vocabulary", config.vocabularySize());
    table.count("speakers", config.speakerCount());
    table.count("text encoder", model.textEncoderParameters());
    table.count("posterior encoder", model.posteriorEncoderParameters());
    table.count("flow", model.flowParameters());
    table.count("decoder", model.decoderParameters());
    table.count("duration predictor", model.durationPredictorParameters());
    table.count("speaker embedding", model.speakerEmbeddingParameters());
    table.count("generator", model.generatorParameters());
    table.count("of these never used by the reference", model.deadParameters());
    table.count("waveform discriminators", model.discriminatorParameters());
    table.count("duration discriminator", model.durationDiscriminatorParameters());
    return table.section("Parameters");
  }

  private static InfoResult.Section memory(ModelDescription model, String title) {
    Table table = new Table();
    table.row("device", model.device());
    table.row("process, now", mebibytes(model.processResidentBytes()));
    table.row("process, peak", mebibytes(model.processPeakBytes()));
    table.row("device, now", mebibytes(model.deviceAllocatedBytes()));
    table.row("device, peak", mebibytes(model.devicePeakBytes()));
    return table.section(title);
  }

  private static InfoResult.Section step(TrainingSession session, ValettsConfig config, EngineConfig engineConfig) {
    Table table = new Table();
    int samples = config.training().segmentSamples();
    int tokens = Math.min(NOISE_TOKENS, samples / config.audio().hopLength());
    try (Batch batch =
        NoiseBatch.of(config.data().batchSize(), samples, tokens, engineConfig, config.training().seed())) {
      long start = System.nanoTime();
      double rate = config.optimizer().learningRate();
      StepMetrics metrics = session.step(batch, new StepParams(0, rate, rate, rate,
          config.optimizer().melWeight(), config.optimizer().klWeight(), 0, 0, BatchTotals.OWN));
      table.row("batch", batch.size() + " x " + batch.maxSamples() + " samples of noise");
      table.row("precision", engineConfig.precision());
      table.row("seconds", String.format(Locale.ROOT, "%.2f", (System.nanoTime() - start) / 1e9));
      table.row("generator loss", String.format(Locale.ROOT, "%.4f", metrics.generatorTotal()));
      table.row("discriminator loss", String.format(Locale.ROOT, "%.4f", metrics.discriminator()));
      table.row("mel L1", String.format(Locale.ROOT, "%.4f", metrics.melL1()));
    }
    return table.section("One training step");
  }

  private static String minutes(double seconds) {
    return String.format(Locale.ROOT, "%.1f minutes", seconds / 60);
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%,.1f MiB", bytes / (double) (1 << 20));
  }

  /** Collects the rows of one section. */
  private static final class Table {
    private final List<InfoResult.Row> rows = new ArrayList<>();

    void row(String name, String value) {
      rows.add(new InfoResult.Row(name, value));
    }

    void count(String name, long value) {
      row(name, String.format(Locale.ROOT, "%,d", value));
    }

    InfoResult.Section section(String title) {
      return new InfoResult.Section(title, rows);
    }
  }
}
