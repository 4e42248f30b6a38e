package ai.valetts.app;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.checkpoint.RunIdentity;
import ai.valetts.checkpoint.TrainState;
import ai.valetts.config.ConfigDifference;
import ai.valetts.config.ConfigException;
import ai.valetts.config.ConfigKeys;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ConfigWriter;
import ai.valetts.config.DataConfig;
import ai.valetts.config.MonitorConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.BatchAssembler;
import ai.valetts.data.BatchLoader;
import ai.valetts.data.BatchPosition;
import ai.valetts.data.Clip;
import ai.valetts.data.PreparationProgress;
import ai.valetts.data.PreparedData;
import ai.valetts.data.Speakers;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.InvalidEngineArgumentException;
import ai.valetts.engine.ModelDescription;
import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.TrainingSession;
import ai.valetts.evaluation.ConstantSpectrum;
import ai.valetts.evaluation.RecordingProfile;
import ai.valetts.evaluation.SpeechAnalysis;
import ai.valetts.evaluation.SpeechStatistics;
import ai.valetts.event.EventBus;
import ai.valetts.event.Notice;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import ai.valetts.monitor.MachineMeter;
import ai.valetts.monitor.MediaFiles;
import ai.valetts.monitor.MetricsJournal;
import ai.valetts.monitor.RunRecord;
import ai.valetts.monitor.TensorBoardMonitor;
import ai.valetts.monitor.WandbMonitor;
import ai.valetts.report.page.RunPageListener;
import ai.valetts.storage.CheckpointSync;
import ai.valetts.text.EncodedText;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.training.RunControl;
import ai.valetts.training.RunOutcome;
import ai.valetts.training.Sentence;
import ai.valetts.training.Trainer;
import ai.valetts.training.Validator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/** One start of a run, new or resumed: opens what the loop needs, lets it run, and writes down how it ended. */
final class TrainRun {
  private static final int WAITING_EVENTS = 2048;

  /** Enough frames for a stable median, and a bound on memory. */
  private static final int MAX_SPECTRUM_FRAMES = 200_000;

  /** Keys that name places on this machine. */
  private static final List<String> PLACES = List.of("data.sources", "text.lexicon");

  private static final int MAX_PROFILED_CLIPS = 200;
  private static final int MIN_PROFILED_CLIPS_PER_SPEAKER = 20;

  /** A corpus of thousands of voices is judged by some of them: each sentence is synthesized for each. */
  private static final int MAX_SHOWN_SPEAKERS = 64;

  private final Engine engine;
  private final Path cacheFolder;
  private final Consumer<String> notice;
  private final PreparationProgress progress;
  private final List<RunListener> listeners;
  private final Consumer<RunControl> loopStarts;

  /**
   * @param progress told how the preparation goes, and whatever else a person should read
   * @param listeners of the caller's, told after the run's own
   * @param loopStarts given the inbox of the loop before its first step
   */
  TrainRun(
      Engine engine,
      Path cacheFolder,
      PreparationProgress progress,
      List<RunListener> listeners,
      Consumer<RunControl> loopStarts) {
    this.engine = engine;
    this.cacheFolder = cacheFolder;
    this.progress = progress;
    this.notice = progress::notice;
    this.listeners = listeners;
    this.loopStarts = loopStarts;
  }

  /** Starts a run, or goes on with it where checkpoints of the same configuration exist. */
  RunResult start(ValettsConfig config, RunDirectory run, Path initFrom, boolean partial) {
    run.create();
    return run.whileLocked(() -> {
      if (CheckpointStore.anyIn(run.checkpoints())) {
        InitialVoice.refuseOther(initFrom, run, notice);
        return goOn(InitialVoice.asBegun(config, run), run);
      }
      refuseAbsentGpu(config.training().device());
      ValettsConfig settled = new MachineChoice(engine.system(), notice).forNewRun(config);
      return train(settled, run, Optional.empty(), InitialVoice.of(initFrom, partial, run, engine, notice));
    });
  }

  /**
   * The configuration a run goes on with.
   *
   * @throws CheckpointException if there is no such run
   */
  static ValettsConfig savedConfig(RunDirectory run, List<ConfigOverride> overrides, Consumer<String> notice) {
    if (CheckpointStore.anyIn(run.checkpoints()) && !isReadable(run.config())) {
      notice.accept(run.config() + " is missing or damaged: the configuration in the newest sound checkpoint is taken.");
      return ConfigLoader.load(SavedVoice.newest(run, notice).file(SavedVoice.CONFIG), overrides);
    }
    if (!Files.isRegularFile(run.config())) {
      throw new CheckpointException("There is no run in " + run.root() + ": config.yaml is missing.");
    }
    if (!Files.isDirectory(run.checkpoints()) && SavedVoice.isCheckpoint(run.root())) {
      throw new CheckpointException(run.root() + " is a checkpoint, not a run, so that there is nothing to resume: start a"
          + " run from its weights with train --init-from " + run.root() + ".");
    }
    return ConfigLoader.load(run.config(), overrides);
  }

  private static boolean isReadable(Path config) {
    try {
      ConfigLoader.load(config, List.of());
      return true;
    } catch (ConfigException e) {
      return false;
    }
  }

  /** Goes on with a run. */
  RunResult resume(ValettsConfig config, RunDirectory run) {
    return run.whileLocked(() -> goOn(config, run));
  }

  private RunResult goOn(ValettsConfig config, RunDirectory run) {
    SavedVoice saved = SavedVoice.open(run.root(), notice);
    refuseOtherRun(saved.config(), config, run);
    refuseAbsentGpu(config.training().device());
    ValettsConfig settled = new MachineChoice(engine.system(), notice).forResumed(saved.config(), config);
    return train(settled, run, Optional.of(saved), Optional.empty());
  }

  private static void refuseOtherRun(ValettsConfig saved, ValettsConfig requested, RunDirectory run) {
    List<ConfigDifference> refused = ConfigDifference.refused(saved, requested);
    if (!refused.isEmpty()) {
      List<String> problems = new ArrayList<>();
      refused.forEach(difference -> problems.add(difference.toString()));
      problems.add("these keys cannot change during a run: give the new run another --name, or delete this one");
      throw new ConfigException("The run " + run.root() + " was started with another configuration", problems);
    }
  }

  /** Said before the recordings are decoded, which can take long; the core refuses a wrong index itself. */
  private void refuseAbsentGpu(String device) {
    if (device.startsWith("cuda") && engine.system().cudaDevices().isEmpty()) {
      throw new InvalidEngineArgumentException(
          "device is '" + device + "', but there is no usable GPU here; use cpu or auto");
    }
  }

  private RunResult train(
      ValettsConfig config, RunDirectory run, Optional<SavedVoice> saved, Optional<InitialVoice> initial) {
    Optional<Supplier<TextFrontEnd>> reading = saved.isPresent()
        ? saved.map(voice -> () -> VoiceReading.open(voice, notice))
        : initial.flatMap(voice -> voice.reading(config.text()));
    return new Preparation(cacheFolder, progress).with(config, reading, (frontEnd, data) -> {
      Preparation.writeReport(data, run.root(), config.name());
      data.usable();
      saved.ifPresent(voice -> refuseOtherSpeakers(voice, data, run));
      ValettsConfig fitted = initial.map(voice -> voice.fitted(config, data.speakers().size())).orElse(config);
      EngineConfig engineConfig = EngineConfigs.of(fitted, data.symbols().size(), data.speakers().size());
      MicroBatch microBatch = new MicroBatch(engine, cacheFolder, notice);
      int atOnce = microBatch.choose(fitted, engineConfig, data);
      IntConsumer remember = size -> microBatch.remember(size, fitted, engineConfig, data);
      try (TrainingSession session = engine.createSession(engineConfig)) {
        saved.ifPresent(voice -> session.load(voice.checkpoint().directory()));
        initial.ifPresent(voice -> voice.load(session, fitted, engineConfig, data, run, notice));
        return train(fitted, run, saved.map(SavedVoice::checkpoint), frontEnd, data, session, atOnce, remember);
      }
    });
  }

  private static void refuseOtherSpeakers(SavedVoice saved, PreparedData data, RunDirectory run) {
    if (!saved.speakers().names().equals(data.speakers().names())) {
      throw new CheckpointException("The checkpoint of " + run.root() + " knows the speakers "
          + String.join(", ", saved.speakers().names()) + ", the data has "
          + String.join(", ", data.speakers().names()) + ": their embeddings would not belong to them.");
    }
  }

  private RunResult train(
      ValettsConfig config,
      RunDirectory run,
      Optional<Checkpoint> resumed,
      TextFrontEnd frontEnd,
      PreparedData data,
      TrainingSession session,
      int microBatch,
      IntConsumer microBatchChanged) {
    String configText = ConfigWriter.write(config);
    ModelDescription model = session.describe();
    RunIdentity identity =
        new RunIdentity(config.training().seed(), engine.system().threads(), model.device(), sha256(configText));
    resumed.ifPresent(checkpoint -> compare(checkpoint.manifest().identity(), identity));
    CheckpointStore checkpoints =
        new CheckpointStore(
            run.checkpoints(),
            config.checkpoint(),
            companions(run, configText, data, frontEnd),
            notice);
    RunDirectory.write(run.config(), configText);
    double constantMelL1 = constantMelL1(config, data);
    profileRecordings(config, run, data, frontEnd);
    describe(config, data, model, constantMelL1);

    TrainState state = resumed.map(Checkpoint::state).orElse(TrainState.START);
    Progress progress = new Progress();
    RunControl control = new RunControl(entry -> RunDirectory.append(run.control(), entry));
    AtomicReference<Consumer<RunEvent>> announcements =
        new AtomicReference<>(event -> notice.accept(((Notice) event).text()));
    List<RunListener> advice =
        new ArrayList<>(
            new Advice(notice).listeners(
                run,
                config,
                RunControl.CHANGEABLE_KEYS,
                control::requestChange,
                state.step(),
                text -> announcements.get().accept(Notice.info(text))));
    Consumer<String> warning = text -> announcements.get().accept(Notice.warning(text));
    CostMeter cost =
        new CostMeter(
            config.cost(),
            Session.now(config.cost() == null ? null : config.cost().sessionHours(), System.getenv()),
            warning,
            System::nanoTime);
    advice.add(new CheckpointInbox(run).listener(control));
    // The copying is closed last: what the bus has delivered is still copied.
    try (CheckpointSync sync = RunStorage.sync(config, run, notice);
        MachineMeter machine = new MachineMeter(config.monitor().logEverySteps());
        EventBus bus = new EventBus(allListeners(config, run, sync, advice, warning), WAITING_EVENTS, notice,
            event -> machine.apply(cost.apply(event)), ExitCode::explain);
        BatchLoader loader =
            new BatchLoader(data.training(), data, config.data(), config.audio(), config.training().seed(),
                new BatchPosition(state.epoch(), state.batchInEpoch()),
                engine.batchMemory(model.device()))) {
      Consumer<RunEvent> events = event -> {
        progress.take(event);
        bus.publish(event);
      };
      announcements.set(bus::publish);
      if (sync != null) {
        sync.announceTo(bus::publish);
      }
      Trainer.Parts parts =
          new Trainer.Parts(
              session,
              new LoadedBatches(loader),
              validator(config, data, frontEnd, session, constantMelL1),
              checkpoints,
              identity,
              control,
              events,
              step -> RunDirectory.append(run.skipped(), step),
              microBatchChanged,
              System::nanoTime);
      Trainer trainer =
          new Trainer(parts, schedule(config, microBatch), cost.limits(state.trainedSeconds()), resumed);
      events.accept(
          new RunStarted(
              config.name(), state.step(), resumed.isPresent(), model.device(), configText,
              RunEnvironment.describe(engine.system()), validationsUpTo(state.step(), run)));
      loopStarts.accept(control);
      try {
        RunOutcome outcome = trainer.run();
        summarize(run, outcome, identity, model, constantMelL1, progress, events);
        return new RunResult(run.root(), outcome.state().step(), outcome.state().epoch(),
            outcome.state().trainedSeconds(), outcome.reason(), outcome.interrupted(), outcome.checkpoint());
      } catch (RuntimeException | Error e) {
        events.accept(new RunEnded(progress.step, ExitCode.explain(e), true));
        throw e;
      }
    }
  }

  /** What the run's record still holds when it goes on at a step. */
  private static List<ValidationCompleted> validationsUpTo(long step, RunDirectory run) {
    try {
      return RunRecord.read(run.metrics()).validations().stream()
          .filter(validation -> validation.step() <= step)
          .map(validation -> new ValidationCompleted(
              validation.step(), validation.scalars(), List.of(), List.of(), validation.seconds()))
          .toList();
    } catch (IOException e) {
      // The journal meets the same fault and reports it.
      return List.of();
    }
  }

  private static Map<String, byte[]> companions(
      RunDirectory run, String configText, PreparedData data, TextFrontEnd frontEnd) {
    Map<String, byte[]> files =
        VoiceReading.companions(SavedVoice.companions(configText, data.symbols(), data.speakers()), frontEnd);
    if (!Files.isRegularFile(run.initialWeights())) {
      return files;
    }
    Map<String, byte[]> more = new LinkedHashMap<>(files);
    try {
      more.put(run.initialWeights().getFileName().toString(), Files.readAllBytes(run.initialWeights()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return more;
  }

  private void compare(RunIdentity before, RunIdentity now) {
    if (before.threads() != now.threads()) {
      notice.accept("The run used " + before.threads() + " threads before and uses " + now.threads()
          + " now: it goes on, but rounds differently from here.");
    }
    if (!before.device().equals(now.device())) {
      notice.accept("The run was on " + before.device() + " before and is on " + now.device()
          + " now: it goes on, but rounds differently from here.");
    }
  }

  private double constantMelL1(ValettsConfig config, PreparedData data) {
    if (data.validation().isEmpty()) {
      return Double.NaN;
    }
    List<Spectrogram> training = new ArrayList<>();
    int frames = 0;
    for (Clip clip : inHashOrder(data.training())) {
      if (frames >= MAX_SPECTRUM_FRAMES) {
        break;
      }
      training.add(engine.melSpectrogram(config.audio(), data.samples(clip)));
      frames += clip.frames(config.audio().hopLength());
    }
    List<Spectrogram> heldOut =
        data.validation().stream()
            .map(clip -> engine.melSpectrogram(config.audio(), data.samples(clip)))
            .toList();
    return ConstantSpectrum.of(training).meanL1(heldOut);
  }

  private void profileRecordings(ValettsConfig config, RunDirectory run, PreparedData data, TextFrontEnd frontEnd) {
    if (Files.exists(run.recordings())) {
      return;
    }
    int perSpeaker = Math.max(MIN_PROFILED_CLIPS_PER_SPEAKER, MAX_PROFILED_CLIPS / data.speakers().size());
    SpeechAnalysis analysis = new SpeechAnalysis(engine, config.audio());
    Map<String, RecordingProfile> profiles = new LinkedHashMap<>();
    List<Clip> candidates = inHashOrder(data.training());
    for (String speaker : shownSpeakers(data)) {
      List<SpeechStatistics> statistics =
          candidates.stream()
              .filter(clip -> clip.speaker().equals(speaker))
              .limit(perSpeaker)
              .map(clip -> analysis.measure(
                  data.samples(clip), frontEnd.encode(clip.text(), clip.language()).phonemeCount()))
              .toList();
      profiles.put(speaker, RecordingProfile.of(statistics));
    }
    RunDirectory.writeJson(run.recordings(), profiles);
  }

  private static List<String> shownSpeakers(PreparedData data) {
    List<String> names = data.speakers().names();
    return names.subList(0, Math.min(names.size(), MAX_SHOWN_SPEAKERS));
  }

  /** Ids are hashes: their order is a random choice that is the same each time. */
  private static List<Clip> inHashOrder(List<Clip> clips) {
    return clips.stream().sorted(Comparator.comparingLong(Clip::id)).toList();
  }

  private void describe(ValettsConfig config, PreparedData data, ModelDescription model, double constantMelL1) {
    notice.accept(String.format(Locale.ROOT,
        "data: %d training clips, %d held out, %.2f hours, %d speaker%s, text read by %s",
        data.training().size(), data.validation().size(), data.report().hours(), data.speakers().size(),
        data.speakers().size() == 1 ? "" : "s", data.report().textFrontEnd()));
    notice.accept(String.format(Locale.ROOT,
        "batches: %,d in an epoch, %.3f frames computed for each frame of a recording",
        data.report().batches().perEpoch(), data.report().batches().paddedPerRealFrame()));
    if (config.data().balance() != null) {
      notice.accept(String.format(Locale.ROOT,
          "balance: an epoch has the clips of a speaker %.2f to %.2f times",
          data.report().batches().leastRepetitions(), data.report().batches().mostRepetitions()));
    }
    notice.accept(String.format(Locale.ROOT,
        "model: %,d parameters in the generator, %,d in the discriminators, %,d in the duration discriminator",
        model.generatorParameters(), model.discriminatorParameters(), model.durationDiscriminatorParameters()));
    if (!Double.isNaN(constantMelL1)) {
      notice.accept(String.format(Locale.ROOT,
          "to beat: held-out mel L1 %.3f, that of the best constant spectrum (mel_ratio 1)", constantMelL1));
    }
  }

  private List<RunListener> allListeners(
      ValettsConfig config,
      RunDirectory run,
      CheckpointSync sync,
      List<RunListener> advice,
      Consumer<String> warning) {
    List<RunListener> all = new ArrayList<>();
    // The files are there before the others tell of them.
    all.add(new MediaFiles(run.root()));
    // These come before the journal, so that it is still open when one of them fails on being closed.
    if (config.monitor().tensorboard()) {
      all.add(new TensorBoardMonitor(
          run.tensorboard(), config.monitor().logEverySteps(), Boolean.TRUE.equals(config.monitor().histograms())));
    }
    if (config.monitor().wandb() != null) {
      all.add(new WandbMonitor(run.root(), wandbSettings(config), warning));
    }
    all.add(new MetricsJournal(run.metrics(), config.monitor().logEverySteps()));
    if (sync != null) {
      all.add(sync.listener());
    }
    all.addAll(listeners);
    // After the journal, which reports are made from.
    all.addAll(advice);
    all.add(new RunPageListener(run.root(), run.metrics(), run.page()));
    return all;
  }

  /** The places of the recordings are nobody's business but the machine's. */
  private static WandbMonitor.Settings wandbSettings(ValettsConfig config) {
    Map<String, Object> shown = new LinkedHashMap<>(ConfigKeys.values(config));
    PLACES.forEach(shown::remove);
    shown.keySet().removeIf(key -> key.startsWith("storage."));
    MonitorConfig.Wandb wandb = config.monitor().wandb();
    return new WandbMonitor.Settings(
        wandb.project(), wandb.entity(), config.monitor().logEverySteps(), shown, wandb.upload());
  }

  private static Trainer.Schedule schedule(ValettsConfig config, int microBatch) {
    return new Trainer.Schedule(
        config.training(),
        config.optimizer(),
        config.checkpoint(),
        config.validation().everySteps(),
        config.validation().patience(),
        config.audio().sampleRateHz(),
        config.audio().hopLength(),
        microBatch,
        !config.model().durationDiscriminator().equals("none"));
  }

  private Optional<Validator> validator(
      ValettsConfig config, PreparedData data, TextFrontEnd frontEnd, TrainingSession session, double constantMelL1) {
    List<Sentence> sentences = sentences(config, data, frontEnd);
    if (data.validation().isEmpty() && sentences.isEmpty()) {
      return Optional.empty();
    }
    HeldOutClips heldOut =
        new HeldOutClips(
            data.validation(), new BatchAssembler(data, config.audio().hopLength()), config.data().batchSize());
    Validator.Settings settings =
        new Validator.Settings(
            config.validation().audioClips(),
            sentences,
            config.synthesis(),
            config.audio().sampleRateHz(),
            config.training().segmentSamples() / config.audio().hopLength(),
            config.training().seed(),
            constantMelL1);
    return Optional.of(new Validator(session, heldOut, settings, System::nanoTime));
  }

  private List<Sentence> sentences(ValettsConfig config, PreparedData data, TextFrontEnd frontEnd) {
    List<Sentence> sentences = new ArrayList<>();
    for (int i = 0; i < config.validation().sentences().size(); i++) {
      String text = config.validation().sentences().get(i);
      for (String speaker : shownSpeakers(data)) {
        EncodedText encoded = frontEnd.encode(text, languageOf(config, data.speakers(), speaker));
        if (encoded.phonemeCount() == 0) {
          notice.accept("validation.sentences[" + i + "] has nothing that " + speaker + " can say: " + text);
        } else {
          sentences.add(new Sentence(i, text, speaker, data.speakers().idOf(speaker), encoded.ids()));
        }
      }
    }
    return sentences;
  }

  /** The language of a speaker's recordings. */
  static String languageOf(ValettsConfig config, Speakers speakers, String speaker) {
    return speakers.languageOf(speaker).orElseGet(() -> config.data().sources().stream()
        .filter(source -> speaker.equals(source.speaker()))
        .map(DataConfig.Source::language)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(config.text().language()));
  }

  private void summarize(
      RunDirectory run,
      RunOutcome outcome,
      RunIdentity identity,
      ModelDescription model,
      double constantMelL1,
      Progress progress,
      Consumer<RunEvent> events) {
    Map<String, Object> summary = new LinkedHashMap<>();
    summary.put("step", outcome.state().step());
    summary.put("epoch", outcome.state().epoch());
    summary.put("trainedSeconds", outcome.state().trainedSeconds());
    summary.put("reason", outcome.reason());
    summary.put("interrupted", outcome.interrupted());
    summary.put("checkpoint", String.valueOf(outcome.checkpoint()));
    summary.put("skippedSteps", outcome.state().skippedSteps());
    summary.put("identity", identity);
    summary.put("generatorParameters", model.generatorParameters());
    summary.put("constantMelL1", constantMelL1);
    ValidationCompleted last = progress.validation;
    if (last != null) {
      summary.put("validationStep", last.step());
      summary.put("validation", last.scalars());
      if (last.scalars().containsKey("val/mel_ratio")) {
        events.accept(Notice.info(String.format(Locale.ROOT,
            "held-out mel L1 %.3f at step %d, %.3f x that of the best constant spectrum (%.3f)",
            last.scalars().get("val/mel_l1"), last.step(), last.scalars().get("val/mel_ratio"), constantMelL1)));
      }
    }
    if (last == null) {
      RunDirectory.readJson(run.summary()).ifPresent(before -> {
        summary.put("validationStep", before.get("validationStep"));
        summary.put("validation", before.get("validation"));
      });
    }
    if (outcome.state().skippedSteps() > 0) {
      events.accept(Notice.warning(outcome.state().skippedSteps() + " steps were skipped for a loss that was not"
          + " finite."));
    }
    RunDirectory.writeJson(run.summary(), summary);
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java runtime has SHA-256", e);
    }
  }

  /** What the summary needs to remember; written and read by the loop's thread. */
  private static final class Progress {
    private long step;
    private ValidationCompleted validation;

    void take(RunEvent event) {
      if (event instanceof StepCompleted completed) {
        step = completed.step();
      } else if (event instanceof ValidationCompleted completed) {
        // Audio and images belong to the monitors: holding them here would keep them in memory.
        validation =
            new ValidationCompleted(completed.step(), completed.scalars(), List.of(), List.of(), completed.seconds());
      }
    }
  }
}
