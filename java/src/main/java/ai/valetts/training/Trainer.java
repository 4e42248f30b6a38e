package ai.valetts.training;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointStore;
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
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The loop. Each turn: read the inbox and the limits, take a step, validate if due, save if due. Every leave-taking
 * but an error ends in a checkpoint that holds exactly the state reached. One thread, one use.
 */
public final class Trainer {
  private static final int NON_FINITE_LIMIT = 10;

  private final TrainingSession session;
  private final BatchSource batches;
  private final Optional<Validator> validator;
  private final CheckpointStore checkpoints;
  private final RunIdentity identity;
  private final Schedule schedule;
  private final RunControl control;
  private final Consumer<RunEvent> events;
  private final LongSupplier nanoTime;

  private final LearningRateSchedule learningRates;
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

  /**
   * When things happen.
   *
   * @param validateEverySteps steps between validations
   * @param sampleRateHz of the batches, to count hours of audio
   * @param durationDiscriminator whether the model has one
   */
  public record Schedule(
      TrainingConfig training,
      OptimizerConfig optimizer,
      CheckpointConfig checkpoint,
      int validateEverySteps,
      int sampleRateHz,
      boolean durationDiscriminator) {}

  /**
   * What the loop works with; all of it is the caller's to close.
   *
   * @param validator empty without held-out clips
   * @param events takes each fact; must not block
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
      LongSupplier nanoTime) {}

  /**
   * @param resumed the checkpoint that session and batches were set to; empty for a new run
   */
  public Trainer(Parts parts, Schedule schedule, Optional<Checkpoint> resumed) {
    this.session = parts.session();
    this.batches = parts.batches();
    this.validator = parts.validator();
    this.checkpoints = parts.checkpoints();
    this.identity = parts.identity();
    this.control = parts.control();
    this.events = parts.events();
    this.nanoTime = parts.nanoTime();
    this.schedule = schedule;
    this.learningRates = new LearningRateSchedule(schedule.optimizer());
    this.stopRules = new StopRules(
        schedule.training(), batches.batchesPerEpoch(), validator.map(Validator::costInSteps).orElse(0.0));
    this.stepScalars = new StepScalars(schedule.durationDiscriminator());
    this.state = resumed.map(Checkpoint::state).orElse(TrainState.START);
    this.newestCheckpoint = resumed.map(Checkpoint::directory).orElse(null);
    this.savedStep = resumed.isPresent() ? state.step() : -1;
    this.validatedStep = state.step();
  }

  /**
   * Trains until a limit or a request ends it.
   *
   * @throws NonFiniteLossException after ten steps in a row without a finite loss
   * @throws ai.valetts.checkpoint.CheckpointWriteException if a checkpoint cannot be written
   */
  public RunOutcome run() {
    startNanos = savedNanos = nanoTime.getAsLong();
    stepsBefore = state.step();
    secondsBefore = state.trainedSeconds();
    while (true) {
      boolean saveAsked = false;
      for (RunControl.Request request : control.takeAt(state.step())) {
        if (request.kind() == RunControl.Kind.STOP) {
          return leave(request.reason(), true);
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
      step();
      if (state.step() % schedule.validateEverySteps() == 0) {
        validate();
      }
      if (saveAsked || saveDue()) {
        save();
      }
    }
  }

  private void step() {
    long asked = nanoTime.getAsLong();
    StepParams params = learningRates.at(state.step(), batches.epoch());
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
  }

  /** A loss that is not finite costs its batch: the core has not moved the network concerned, the loop goes on. */
  private Optional<StepMetrics> attempt(Batch batch, StepParams params) {
    try {
      StepMetrics metrics = session.step(batch, params);
      nonFiniteInARow = 0;
      return Optional.of(metrics);
    } catch (NonFiniteLossException e) {
      nonFiniteInARow++;
      events.accept(Notice.warning("Step " + state.step() + " was skipped: " + e.getMessage() + " Utterances: "
          + String.join(", ", batch.utteranceNames()) + "."));
      if (nonFiniteInARow >= NON_FINITE_LIMIT) {
        throw new NonFiniteLossException(nonFiniteInARow + " steps in a row had a loss that is not finite (the last: "
            + e.getMessage() + ") and training stopped at step " + state.step() + ". "
            + (newestCheckpoint == null
                ? "No checkpoint was saved yet"
                : "The newest checkpoint is " + newestCheckpoint)
            + ": look at the utterances named above, lower optimizer.learningRate, and resume.");
      }
      return Optional.empty();
    }
  }

  private void validate() {
    if (validator.isEmpty() || validatedStep == state.step()) {
      return;
    }
    Optional<ValidationCompleted> result = validator.get().run(state.step(), control::stopWaiting);
    result.ifPresent(validation -> {
      validatedStep = state.step();
      state = state.withValidationSeconds(validation.seconds());
      events.accept(validation);
    });
  }

  private boolean saveDue() {
    CheckpointConfig config = schedule.checkpoint();
    boolean bySteps = config.everySteps() != null && state.step() % config.everySteps() == 0;
    boolean byTime = config.everyMinutes() != null
        && seconds(savedNanos, nanoTime.getAsLong()) >= config.everyMinutes() * 60;
    return bySteps || byTime;
  }

  private void save() {
    if (savedStep == state.step()) {
      return;
    }
    long start = nanoTime.getAsLong();
    state = state.withTrainedSeconds(trainedSeconds());
    Checkpoint checkpoint = checkpoints.save(state, identity, session::save);
    savedNanos = nanoTime.getAsLong();
    savedStep = state.step();
    newestCheckpoint = checkpoint.directory();
    state = state.withCheckpointSeconds(seconds(start, savedNanos));
    events.accept(new CheckpointSaved(state.step(), checkpoint.directory(), checkpoint.bytes()));
  }

  private RunOutcome leave(String reason, boolean interrupted) {
    save();
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
