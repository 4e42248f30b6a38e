package ai.valetts.training;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.checkpoint.CheckpointWriteException;
import ai.valetts.checkpoint.RunIdentity;
import ai.valetts.checkpoint.TrainState;
import ai.valetts.config.CheckpointConfig;
import ai.valetts.config.OptimizerConfig;
import ai.valetts.config.TrainingConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.NonFiniteLossException;
import ai.valetts.engine.StepMetrics;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.TrainingSession;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/**
 * The loop. Each turn: read the inbox and the limits, take a step, validate if due, save if due. Every leave-taking
 * but an error ends in a checkpoint that holds exactly the state reached. One thread, one use.
 */
public final class Trainer {
  private static final int NON_FINITE_LIMIT = 10;
  /** In a row with finite losses: a loss scale that has been halved so often was not the cause. */
  private static final int OVERFLOW_LIMIT = 40;
  private static final double LOWER_SCALE = 1.0 / 64;
  /** After so many, going back is tried once more. */
  private static final int SOUND_STEPS = 100;
  /** Wait after a checkpoint that could not be written. */
  private static final double RETRY_SECONDS = 60;

  private final TrainingSession session;
  private final BatchSource batches;
  private final Optional<Validator> validator;
  private final CheckpointStore checkpoints;
  private final RunIdentity identity;
  private final Schedule schedule;
  private final RunControl control;
  private final Consumer<RunEvent> events;
  private final Consumer<SkippedStep> skipped;
  private final LongSupplier nanoTime;

  private final StepSettings settings;
  private final StepRunner runner;
  private final BackgroundSave saving = new BackgroundSave();
  private final StopRules stopRules;
  private final StepScalars stepScalars;
  private final PaceMeter pace = new PaceMeter();

  private TrainState state;
  private long stepsBefore;
  private double secondsBefore;
  private long startNanos;
  private long validatedStep;
  private long savedStep;
  private long savedNanos;
  private Path newestCheckpoint;
  private int nonFiniteInARow;
  private int overflowsInARow;
  private double lastLossScale = 1;
  private double nextLossScaleLimit;
  /** Since the weights last went back; many to begin with, for they never did. */
  private long soundSteps = SOUND_STEPS;
  private long retrySaveNanos;
  private boolean saveFailed;
  private String lastReason = "";

  /**
   * When things happen.
   *
   * @param validateEverySteps steps between validations
   * @param patience validations without a lower mel L1 that end the run; null for any number
   * @param sampleRateHz of the batches, to count hours of audio
   * @param hopLength samples of a frame
   * @param microBatch most utterances at once, to begin with
   * @param durationDiscriminator whether the model has one
   */
  public record Schedule(
      TrainingConfig training,
      OptimizerConfig optimizer,
      CheckpointConfig checkpoint,
      int validateEverySteps,
      Integer patience,
      int sampleRateHz,
      int hopLength,
      int microBatch,
      boolean durationDiscriminator) {}

  /**
   * What the loop works with; all of it is the caller's to close.
   *
   * @param validator empty without held-out clips
   * @param events takes each fact; must not block
   * @param skipped told of each step that left a network out because something was not finite
   * @param microBatchChanged told of a smaller micro-batch, after memory ran out
   * @param nanoTime {@code System::nanoTime} outside of tests
   */
  public record Parts(
      TrainingSession session,
      BatchSource batches,
      Optional<Validator> validator,
      CheckpointStore checkpoints,
      RunIdentity identity,
      RunControl control,
      Consumer<RunEvent> events,
      Consumer<SkippedStep> skipped,
      IntConsumer microBatchChanged,
      LongSupplier nanoTime) {}

  /**
   * @param resumed the checkpoint that session and batches were set to; empty for a new run
   */
  public Trainer(Parts parts, Schedule schedule, Optional<Checkpoint> resumed) {
    this(parts, schedule, List.of(), resumed);
  }

  /**
   * @param timeLimits ends of the run beside those of its configuration
   * @param resumed the checkpoint that session and batches were set to; empty for a new run
   */
  public Trainer(Parts parts, Schedule schedule, List<TimeLimit> timeLimits, Optional<Checkpoint> resumed) {
    this.session = parts.session();
    this.batches = parts.batches();
    this.validator = parts.validator();
    this.checkpoints = parts.checkpoints();
    this.identity = parts.identity();
    this.control = parts.control();
    this.events = parts.events();
    this.nanoTime = parts.nanoTime();
    this.schedule = schedule;
    this.skipped = parts.skipped();
    this.settings = new StepSettings(schedule.optimizer(), schedule.training());
    this.runner =
        new StepRunner(
            session,
            schedule.hopLength(),
            schedule.microBatch(),
            !Boolean.TRUE.equals(schedule.training().referencePadding()),
            text -> events.accept(Notice.warning(text)),
            parts.microBatchChanged());
    this.stopRules = new StopRules(
        schedule.training(), batches.batchesPerEpoch(), validator.map(Validator::costInSteps).orElse(0.0),
        timeLimits);
    this.stepScalars = new StepScalars(schedule.durationDiscriminator(), "fp16".equals(schedule.training().precision()));
    this.state = resumed.map(Checkpoint::state).orElse(TrainState.START);
    this.newestCheckpoint = resumed.map(Checkpoint::directory).orElse(null);
    this.savedStep = resumed.isPresent() ? state.step() : -1;
    this.validatedStep = state.step();
  }

  /**
   * Trains until a limit or a request ends it.
   *
   * @throws NonFiniteLossException when losses stay not finite although the run went back to its last checkpoint
   * @throws CheckpointWriteException if the last checkpoint cannot be written; one on the way is tried again instead
   */
  public RunOutcome run() {
    try (saving) {
      return loop();
    }
  }

  private RunOutcome loop() {
    startNanos = savedNanos = nanoTime.getAsLong();
    stepsBefore = state.step();
    secondsBefore = state.trainedSeconds();
    boolean saveAsked = false;
    while (true) {
      for (RunControl.Request request : control.takeAt(state.step())) {
        if (request.kind() == RunControl.Kind.STOP) {
          return leave(request.reason(), true);
        }
        if (request.kind() == RunControl.Kind.CHANGE) {
          change(request);
          continue;
        }
        saveAsked = true;
      }
      Optional<StopRules.Limit> limit = nearestLimit();
      if (limit.isPresent() && limit.get().reached()) {
        validate();
        if (!control.stopWaiting()) {
          return leave("reached its limit of " + limit.get().name(), false);
        }
        continue;
      }
      if (schedule.patience() != null && state.validationsSinceBest() >= schedule.patience()) {
        return leave(String.format(Locale.ROOT,
            "found no lower mel L1 of the held-out clips in %d validations (validation.patience); the lowest is %.4f",
            state.validationsSinceBest(), state.bestValidationMelL1()), false);
      }
      step();
      harvest(false);
      if (state.step() % schedule.validateEverySteps() == 0) {
        validate();
      }
      // Neither a wish nor the clock makes the loop wait for the checkpoint before.
      if ((saveAsked && !saving.busy() || saveDue()) && !lastValidationDue()) {
        save();
        saveAsked = false;
      }
    }
  }

  /** At its limit the run validates before it saves, so that the last checkpoint knows how good it is. */
  private boolean lastValidationDue() {
    return validator.isPresent()
        && validatedStep != state.step()
        && nearestLimit().filter(StopRules.Limit::reached).isPresent();
  }

  private void change(RunControl.Request request) {
    double before = settings.change(request.key(), request.value());
    if (before != request.value()) {
      events.accept(Notice.info("From step " + (state.step() + 1) + " on " + request.key() + " is " + request.value()
          + " instead of " + before + ": " + request.reason()));
    }
  }

  private void step() {
    long asked = nanoTime.getAsLong();
    StepParams params = settings.at(state.step(), batches.epoch()).withLossScaleLimit(nextLossScaleLimit);
    nextLossScaleLimit = 0;
    int epoch = batches.epoch();
    try (Batch batch = batches.next()) {
      double waited = seconds(asked, nanoTime.getAsLong());
      Optional<StepMetrics> metrics = attempt(batch, params);
      double took = seconds(asked, nanoTime.getAsLong());
      pace.step(took, batch.size(), batch.seconds(schedule.sampleRateHz()));
      state = state.advancedTo(batches.epoch(), batches.batchInEpoch(), metrics.isEmpty())
          .withTrainedSeconds(trainedSeconds());
      metrics.ifPresent(
          m -> events.accept(
              new StepCompleted(state.step(), epoch, stepScalars.of(m, params, pace, waited), progress())));
    }
    if (nonFiniteInARow >= NON_FINITE_LIMIT) {
      rollBack(nonFiniteInARow + " steps in a row were not finite");
    }
  }

  /**
   * Something that is not finite costs the network concerned its step; the core has not moved it. Empty then, but for
   * scaled losses whose scale was merely too large.
   */
  private Optional<StepMetrics> attempt(Batch batch, StepParams params) {
    try {
      StepMetrics metrics = runner.step(batch, params, batches::upcoming);
      lastLossScale = metrics.lossScale();
      if (StepHealth.skipped(metrics).isEmpty()) {
        nonFiniteInARow = 0;
        overflowsInARow = 0;
        soundSteps++;
        return Optional.of(metrics);
      }
      if (StepHealth.scaleTooLarge(metrics) && ++overflowsInARow < OVERFLOW_LIMIT) {
        return Optional.of(metrics);
      }
      leaveOut(batch, StepHealth.describe(metrics));
    } catch (NonFiniteLossException e) {
      leaveOut(batch, e.getMessage());
    }
    return Optional.empty();
  }

  private void leaveOut(Batch batch, String reason) {
    nonFiniteInARow++;
    lastReason = reason;
    events.accept(Notice.warning("Step " + state.step() + " was skipped: " + reason + " Utterances: "
        + String.join(", ", batch.utteranceNames()) + "."));
    List<Integer> tokens = new ArrayList<>();
    List<Integer> samples = new ArrayList<>();
    List<Float> peaks = new ArrayList<>();
    for (int i = 0; i < batch.size(); i++) {
      tokens.add(batch.storage().tokenLengths.get(i));
      samples.add(batch.storage().sampleLengths.get(i));
      float peak = 0;
      for (int n = 0; n < batch.storage().sampleLengths.get(i); n++) {
        peak = Math.max(peak, Math.abs(batch.storage().samples.get(i * batch.maxSamples() + n)));
      }
      peaks.add(peak);
    }
    skipped.accept(new SkippedStep(state.step(), reason, batch.utteranceNames(), tokens, samples, peaks));
  }

  /**
   * Takes the weights and optimizers of the last good checkpoint, and a lower loss scale. Step and place in the data stay:
   * what led here is not repeated. A second time soon after ends the run.
   */
  private void rollBack(String cause) {
    harvest(true);
    if (newestCheckpoint == null || soundSteps < SOUND_STEPS) {
      throw new NonFiniteLossException(cause + " (the last: " + lastReason + ") and training stopped at step "
          + state.step() + ". "
          + (newestCheckpoint == null
              ? "No checkpoint was saved yet"
              : "Going back to the newest checkpoint, " + newestCheckpoint + ", did not help")
          + ": look at the utterances named above (skipped.jsonl lists them), lower optimizer.learningRate, set"
          + " optimizer.gradientClip, or choose fp32 as training.precision, and resume.");
    }
    session.discard();
    newestCheckpoint = checkpoints.newest().orElseThrow(() -> new CheckpointException(
        cause + " at step " + state.step() + ", and no checkpoint is left to go back to.")).directory();
    session.load(newestCheckpoint);
    soundSteps = 0;
    nonFiniteInARow = 0;
    overflowsInARow = 0;
    nextLossScaleLimit = Math.max(1, lastLossScale * LOWER_SCALE);
    savedStep = -1;
    events.accept(Notice.warning("At step " + state.step() + " " + cause + ": the weights went back to those of "
        + newestCheckpoint + "; the run goes on behind the data that led here. If it happens again, it stops."));
  }

  private void validate() {
    if (validator.isEmpty() || validatedStep == state.step()) {
      return;
    }
    Optional<ValidationCompleted> result = validator.get().run(state.step(), control::stopWaiting);
    result.ifPresent(validation -> {
      validatedStep = state.step();
      state = state.withValidation(
          validation.seconds(), validation.scalars().getOrDefault("val/mel_l1", Double.NaN));
      events.accept(validation);
    });
  }

  private boolean saveDue() {
    if (nonFiniteInARow > 0 || saveFailed && seconds(retrySaveNanos, nanoTime.getAsLong()) < 0) {
      return false;
    }
    CheckpointConfig config = schedule.checkpoint();
    boolean bySteps = config.everySteps() != null && state.step() % config.everySteps() == 0;
    boolean byTime = config.everyMinutes() != null
        && !saving.busy()
        && seconds(savedNanos, nanoTime.getAsLong()) >= config.everyMinutes() * 60;
    return bySteps || byTime || saveFailed;
  }

  /** Copies the state now and writes it in the background; waits for the checkpoint before it, if that is not done. */
  private void save() {
    if (savedStep == state.step()) {
      return;
    }
    harvest(true);
    savedNanos = nanoTime.getAsLong();
    savedStep = state.step();
    TrainState saved = state.withTrainedSeconds(trainedSeconds());
    saving.start(session.snapshot(), snapshot -> checkpoints.save(saved, identity, snapshot::write));
  }

  /** Takes note of the checkpoint that was written in the background. */
  private void harvest(boolean wait) {
    try {
      saving.take(wait).ifPresent(this::saved);
    } catch (CheckpointWriteException e) {
      savedStep = -1;
      saveFailed = true;
      retrySaveNanos = nanoTime.getAsLong() + (long) (RETRY_SECONDS * 1e9);
      events.accept(Notice.warning(e.getMessage() + " The run goes on and tries again in a minute."));
    } catch (NonFiniteLossException e) {
      savedStep = -1;
      lastReason = e.getMessage();
      rollBack("a weight was not finite");
    }
  }

  private void saved(BackgroundSave.Written written) {
    Checkpoint checkpoint = written.checkpoint();
    saveFailed = false;
    newestCheckpoint = checkpoint.directory();
    state = state.withCheckpointSeconds(written.seconds());
    events.accept(new CheckpointSaved(checkpoint.state().step(), checkpoint.directory(), checkpoint.bytes()));
  }

  private RunOutcome leave(String reason, boolean interrupted) {
    harvest(true);
    save();
    saving.take(true).ifPresent(this::saved);
    state = state.withTrainedSeconds(trainedSeconds());
    events.accept(new RunEnded(state.step(), reason, false));
    return new RunOutcome(state, reason, interrupted, newestCheckpoint);
  }

  private Optional<StopRules.Limit> nearestLimit() {
    state = state.withTrainedSeconds(trainedSeconds());
    long steps = state.step() - stepsBefore;
    double overall = steps == 0 ? 0 : (state.trainedSeconds() - secondsBefore) / steps;
    return stopRules.nearest(state, pace, overall);
  }

  private Progress progress() {
    Optional<StopRules.Limit> limit = nearestLimit();
    return new Progress(
        pace.stepsPerSecond(),
        pace.utterancesPerSecond(),
        pace.audioHoursPerHour(),
        state.trainedSeconds(),
        limit.map(StopRules.Limit::fraction).orElse(0.0),
        limit.map(StopRules.Limit::secondsToGo).orElse(Double.NaN),
        limit.map(StopRules.Limit::name).orElse(""));
  }

  private double trainedSeconds() {
    return secondsBefore + seconds(startNanos, nanoTime.getAsLong());
  }

  private static double seconds(long fromNanos, long toNanos) {
    return (toNanos - fromNanos) / 1e9;
  }
}
