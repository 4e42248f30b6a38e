package ai.valetts.app;

import ai.valetts.config.DataConfig;
import ai.valetts.config.OptimizerConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.BatchLoader;
import ai.valetts.data.BatchPosition;
import ai.valetts.data.PreparationProgress;
import ai.valetts.data.PreparedData;
import ai.valetts.engine.Batch;
import ai.valetts.engine.BatchTotals;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.EngineOutOfMemoryException;
import ai.valetts.engine.ModelDescription;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.StepProfile;
import ai.valetts.engine.TrainingSession;
import ai.valetts.text.SymbolTable;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/** Takes training steps, the last ones operator by operator, and tells where their time went. */
final class Profiling {
  private static final double TOKENS_PER_SECOND = 24;

  private final Engine engine;
  private final Path cacheFolder;
  private final PreparationProgress progress;

  Profiling(Engine engine, Path cacheFolder, PreparationProgress progress) {
    this.engine = engine;
    this.cacheFolder = cacheFolder;
    this.progress = progress;
  }

  /**
   * @param given the request's configuration or the run's, with the recordings that the batches are made of, if any
   */
  ProfileResult run(ProfileRequest request, ValettsConfig given) {
    ValettsConfig config = new MachineChoice(engine.system(), progress::notice).forNewRun(given);
    return config.data().sources().isEmpty() ? onNoise(request, config) : onRecordings(request, config);
  }

  private ProfileResult onRecordings(ProfileRequest request, ValettsConfig config) {
    return new Preparation(cacheFolder, progress).with(config, Optional.empty(), (frontEnd, data) -> {
      data.usable();
      EngineConfig engineConfig = EngineConfigs.of(config, data.symbols().size(), data.speakers().size());
      try (TrainingSession session = engine.createSession(engineConfig);
          BatchLoader loader = loader(config, data, session)) {
        String batches = String.format(Locale.ROOT, "batches of %d of %,d recordings", config.data().batchSize(),
            data.training().size());
        return measure(request, config, session, loader::next, batches, true);
      }
    });
  }

  private BatchLoader loader(ValettsConfig config, PreparedData data, TrainingSession session) {
    return new BatchLoader(
        data.training(),
        data,
        config.data(),
        config.audio(),
        config.training().seed(),
        BatchPosition.START,
        engine.batchMemory(session.describe().device()));
  }

  private ProfileResult onNoise(ProfileRequest request, ValettsConfig config) {
    long speakers =
        config.data().sources().stream().map(DataConfig.Source::speaker).filter(Objects::nonNull).distinct().count();
    Integer vocabulary = config.model().vocabularySize();
    EngineConfig engineConfig =
        EngineConfigs.of(config, vocabulary == null ? SymbolTable.piper().size() : vocabulary, (int) speakers);
    int hop = config.audio().hopLength();
    int frames = (int) Math.max(1, Math.round(request.clipSeconds() * config.audio().sampleRateHz() / hop));
    int tokens = (int) Math.max(1, Math.min(frames, Math.round(request.clipSeconds() * TOKENS_PER_SECOND)));
    int size = config.data().batchSize();
    String batches = String.format(Locale.ROOT, "batches of %d clips of noise, %.2f s each", size, request.clipSeconds());
    try (TrainingSession session = engine.createSession(engineConfig)) {
      Supplier<Batch> next = () -> NoiseBatch.of(size, frames * hop, tokens, engineConfig, config.training().seed());
      return measure(request, config, session, next, batches, false);
    }
  }

  /**
   * @param next makes or awaits the next batch
   * @param waits whether the time that takes is one that training would wait as well
   */
  private ProfileResult measure(
      ProfileRequest request,
      ValettsConfig config,
      TrainingSession session,
      Supplier<Batch> next,
      String batches,
      boolean waits) {
    double waitedSeconds = 0;
    try (StepProfile profile = session.profile()) {
      for (int step = 0; step < request.warmUpSteps() + request.steps(); step++) {
        long began = System.nanoTime();
        try (Batch batch = next.get()) {
          double seconds = (System.nanoTime() - began) / 1e9;
          StepParams params = params(config.optimizer(), step).over(batch.totals(config.audio().hopLength()));
          if (step < request.warmUpSteps()) {
            session.step(batch, params);
          } else {
            waitedSeconds += waits ? seconds : 0;
            profile.step(batch, params);
          }
        }
      }
      if (request.trace() != null) {
        profile.writeTrace(request.trace());
      }
      String precision = config.training().precision() == null ? "fp32" : config.training().precision();
      ModelDescription after = session.describe();
      return ProfileResult.of(config.name(), after.device(), precision, engine.system().threads(), batches,
          request.warmUpSteps(), request.steps(), profile.rows(), waitedSeconds, after.recordedKernels(), request.trace());
    } catch (EngineOutOfMemoryException e) {
      throw new EngineOutOfMemoryException(
          e.getMessage() + " A profiled batch goes through in one piece: lower data.batchSize.");
    }
  }

  private static StepParams params(OptimizerConfig optimizer, long step) {
    double rate = optimizer.learningRate();
    return new StepParams(step, rate, rate, rate, optimizer.melWeight(), optimizer.klWeight(), 0, 0, BatchTotals.OWN);
  }
}
