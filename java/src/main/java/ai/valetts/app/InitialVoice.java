package ai.valetts.app;

import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.checkpoint.Manifest;
import ai.valetts.config.ConfigDifference;
import ai.valetts.config.ConfigException;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ConfigWriter;
import ai.valetts.config.TextConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.PreparedData;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.TrainingSession;
import ai.valetts.interchange.WeightTransfer;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The voice whose weights a new run begins with. What it was is written to the run before the first step, so that a run
 * that ends before its first checkpoint begins the same way again.
 *
 * @param saved its checkpoint
 * @param partial take what fits and start the rest fresh
 */
record InitialVoice(SavedVoice saved, boolean partial) {
  private static final String SOURCE = "source";
  private static final String WEIGHTS = "generatorSha256";
  private static final String PARTIAL = "partial";
  private static final String SPEAKER_COUNT = "model.speakerCount";

  /**
   * The voice that a new run is asked to begin with, or began with before it had a checkpoint.
   *
   * @param requested folder or public checkpoint file, or null
   * @throws CheckpointException if it cannot be used, or is another than the run began with
   */
  static Optional<InitialVoice> of(
      Path requested, boolean partial, RunDirectory run, Engine engine, Consumer<String> notice) {
    Optional<Map<String, Object>> recorded = RunDirectory.readJson(run.initialWeights());
    if (requested == null && recorded.isEmpty()) {
      return Optional.empty();
    }
    Path source = requested != null ? requested : Path.of(String.valueOf(recorded.get().get(SOURCE)));
    boolean rest = requested != null ? partial : Boolean.TRUE.equals(recorded.get().get(PARTIAL));
    if (Files.isRegularFile(source)) {
      source = imported(source, rest, run, engine, notice);
    }
    InitialVoice voice = new InitialVoice(SavedVoice.open(source, notice), rest);
    recorded.ifPresent(record -> voice.refuseUnlessBegunWith(record, run));
    return Optional.of(voice);
  }

  /**
   * A run that goes on must not be asked for other initial weights than its own.
   *
   * @throws CheckpointException naming both
   */
  static void refuseOther(Path requested, RunDirectory run, Consumer<String> notice) {
    if (requested == null || Files.isRegularFile(requested)) {
      return;
    }
    Map<String, Object> record = RunDirectory.readJson(run.initialWeights())
        .orElseThrow(() -> new CheckpointException("The run " + run.root() + " began with new weights, not with those of "
            + requested + ": give the new run another --name."));
    new InitialVoice(SavedVoice.open(requested, notice), false).refuseUnlessBegunWith(record, run);
  }

  private void refuseUnlessBegunWith(Map<String, Object> record, RunDirectory run) {
    if (!generatorSha256().equals(record.get(WEIGHTS))) {
      throw new CheckpointException("The run " + run.root() + " began with the weights of " + record.get(SOURCE)
          + ", and those of " + saved.checkpoint().directory() + " are others: give the new run another --name.");
    }
  }

  /** A public checkpoint's voice, kept in the run. */
  private static Path imported(
      Path file, boolean partial, RunDirectory run, Engine engine, Consumer<String> notice) {
    Path folder = run.root().resolve("initial");
    if (!Files.exists(folder)) {
      new Interchange(() -> engine, notice).importVoice(request(file, partial, folder, List.of()));
    }
    return folder;
  }

  private static ImportRequest request(Path file, boolean partial, Path folder, List<ConfigOverride> overrides) {
    return new ImportRequest(file, null, null, null, null, null, null, null, List.of(), partial, overrides, folder);
  }

  /**
   * The configuration of a voice for a new run; the data decides how many speakers there are.
   *
   * @param voice run, checkpoint or public checkpoint file
   */
  static ValettsConfig config(Path voice, List<ConfigOverride> overrides) {
    List<ConfigOverride> all = new ArrayList<>();
    all.add(new ConfigOverride(SPEAKER_COUNT, "null", "--init-from"));
    all.addAll(overrides);
    if (Files.isRegularFile(voice)) {
      return Interchange.configOf(request(voice, true, Path.of("run"), all));
    }
    Path file = voice.resolve(SavedVoice.CONFIG);
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException("There is no run or checkpoint " + voice + ".");
    }
    return ConfigLoader.load(file, all);
  }

  /** A voice of several speakers keeps its layers for them, even where only one goes on. */
  ValettsConfig fitted(ValettsConfig config, int speakers) {
    boolean several = Interchange.side(saved).speakerCount() > 1;
    return several && speakers < 2 && config.model().speakerCount() == null ? with(config, 2) : config;
  }

  private static ValettsConfig with(ValettsConfig config, int speakerCount) {
    return ConfigLoader.parse(
        config.name(),
        ConfigWriter.write(config),
        List.of(new ConfigOverride(SPEAKER_COUNT, String.valueOf(speakerCount), "--init-from")));
  }

  /** The configuration of a run that goes on, where {@link #fitted} filled in what the command leaves open. */
  static ValettsConfig asBegun(ValettsConfig config, RunDirectory run) {
    if (config.model().speakerCount() != null || !Files.isRegularFile(run.initialWeights())) {
      return config;
    }
    Integer begun = ConfigLoader.load(run.config(), List.of()).model().speakerCount();
    return begun == null ? config : with(config, begun);
  }

  /** How the run reads: as the voice does, unless its configuration names a front end. */
  Optional<Supplier<TextFrontEnd>> reading(TextConfig text) {
    if (!text.frontEnd().equals("auto")) {
      return Optional.empty();
    }
    TextConfig voice = saved.config().text();
    if (text.addBlank() != voice.addBlank() && !partial) {
      throw new ConfigException(
          "--init-from " + saved.checkpoint().directory(),
          List.of("text.addBlank is " + text.addBlank() + ", but the voice was trained with " + voice.addBlank()
              + ": set it so, or use --partial"));
    }
    boolean sameLexicon = text.lexicon() == null || text.lexicon().equals(voice.lexicon());
    TextConfig own = sameLexicon ? text.withLexicon(VoiceReading.config(saved).lexicon()) : text;
    return Optional.of(() -> TextFrontEnds.open(own, saved.symbols()));
  }

  /** Puts the voice's weights into a new session, tells what became of them, and records it. */
  void load(
      TrainingSession session,
      ValettsConfig config,
      EngineConfig sizes,
      PreparedData data,
      RunDirectory run,
      Consumer<String> notice) {
    for (ConfigDifference difference : ConfigDifference.between(saved.config(), config)) {
      if (difference.key().startsWith("audio.")) {
        notice.accept("not as in the initial voice: " + difference);
      }
    }
    WeightTransfer.Side to =
        new WeightTransfer.Side(
            config, data.symbols(), data.speakers().names(), sizes.vocabularySize(), sizes.speakerCount());
    Path fitted = run.root().resolve("initial.tmp");
    try (WeightTransfer transfer =
        WeightTransfer.open(saved.checkpoint().directory(), Interchange.side(saved), to, partial)) {
      Interchange.delete(fitted);
      Files.createDirectories(fitted);
      Interchange.withInitialValues(
          transfer.isIncomplete() ? session : null, initial -> transfer.write(fitted, initial));
      session.loadWeights(fitted);
      List<ImportResult.Weights> weights = Interchange.weights(transfer.report());
      notice.accept("initial weights: " + saved.checkpoint().directory()
          + (saved.checkpoint().speaksWithMean() ? ", the running mean of its generator" : ""));
      weights.forEach(line -> notice.accept(String.format(
          Locale.ROOT, "  %-11s %-16s %,5d tensors %,12d numbers  %s",
          line.outcome(), line.part(), line.tensors(), line.numbers(), line.reason()).stripTrailing()));
      record(run, weights);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      Interchange.delete(fitted);
    }
  }

  private void record(RunDirectory run, List<ImportResult.Weights> weights) {
    Map<String, Object> record = new LinkedHashMap<>();
    record.put(SOURCE, saved.checkpoint().directory().toString());
    record.put(WEIGHTS, generatorSha256());
    record.put(PARTIAL, partial);
    record.put("weights", weights);
    RunDirectory.writeJson(run.initialWeights(), record);
  }

  private String generatorSha256() {
    return saved.checkpoint().manifest().files().stream()
        .filter(file -> file.name().equals(SavedVoice.GENERATOR))
        .map(Manifest.FileEntry::sha256)
        .findFirst()
        .orElseThrow(() -> new CheckpointException(
            saved.checkpoint().directory() + " has no " + SavedVoice.GENERATOR + "."));
  }
}
