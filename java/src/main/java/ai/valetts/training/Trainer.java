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
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/**
 * The loop. Each turn: read the inbox and the limits, take a step, validate if due, save if due. Every leave-taking
 * but an error ends in a checkpoint that holds exactly the state reached. One thread, one use.
 *
 * <p>What a step tells is read every {@code training.metricsEverySteps} steps, for reading waits for the device; and
 * before everything that waits for it anyway or must know how the steps went: a request, a validation, a checkpoint,
 * going back, the end.
 */
public final class Trainer {
  private static final int NON_FINITE_LIMIT = 10;
  /** In a row with finite losses: a loss scale that has been halved so often was not the cause. */
  private static final int OVERFLOW_LIMIT = 40;
  private static final double LOWER_SCALE = 1.0 / 64;
  /** After so many, going back is tried once more. */
  private static final int SOUND_STEPS = 100;
  /** Whoever watches a run, or asks something of it, waits no longer than this; to a GPU a reading so rare is nothing. */
  private static final double LONGEST_UNREAD_SECONDS = 2;
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
  private final int metricsEverySteps;
  /** Since the last reading. */
  private final List<TakenStep> taken = new ArrayList<>();

  private TrainState state;
  private long stepsBefore;
  private double secondsBefore;
  private long startNanos;
  private long validatedStep;
  private long savedStep;
  private long savedNanos;
  private long readNanos;
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
    this.metricsEverySteps =
        schedule.training().metricsEverySteps() == null ? 1 : schedule.training().metricsEverySteps();
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
    } catch (RuntimeException e) {
      tellTheRest(e);
      throw e;
    }
  }

  /** What the steps before a fault have told belongs into the run's record; a lost device tells nothing more. */
  private void tellTheRest(RuntimeException fault) {
    try {
      takeNote();
    } catch (RuntimeException e) {
      fault.addSuppressed(e);
    }
  }

  private RunOutcome loop() {
    startNanos = savedNanos = readNanos = nanoTime.getAsLong();
    stepsBefore = state.step();
    secondsBefore = state.trainedSeconds();
    boolean saveAsked = false;
    while (true) {
      List<RunControl.Request> requests = control.takeAt(state.step());
      if (!requests.isEmpty()) {
        read();
      }
      for (RunControl.Request request : requests) {
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
      boolean asked = saveAsked && !saving.busy();
      if (asked || saveDue()) {
        read();
        if ((asked || nonFiniteInARow == 0) && !lastValidationDue()) {
          save();
          saveAsked = false;
        }
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
    TakenStep step;
    try (Batch batch = batches.next()) {
      double waited = seconds(asked, nanoTime.getAsLong());
      Optional<String> failure = attempt(batch, params);
      double took = seconds(asked, nanoTime.getAsLong());
      state = state.advancedTo(batches.epoch(), batches.batchInEpoch()).withTrainedSeconds(trainedSeconds());
      step = new TakenStep(
          params, epoch, state, waited, took, batch.seconds(schedule.sampleRateHz()),
          TakenStep.describe(params.step(), batch), failure);
    }
    taken.add(step);
    // Before the first reading the rules of time know no pace.
    if (step.failure().isPresent()
        || pace.steps() == 0
        || state.step() % metricsEverySteps == 0
        || seconds(readNanos, nanoTime.getAsLong()) >= LONGEST_UNREAD_SECONDS) {
      read();
    } else {
      pace.turn(step.tookSeconds());
    }
  }

  /** Why the step came to nothing; empty where it was taken, whatever its metrics will tell. */
  private Optional<String> attempt(Batch batch, StepParams params) {
    try {
      runner.step(batch, params, batches::upcoming);
      return Optional.empty();
    } catch (NonFiniteLossException e) {
      return Optional.of(e.getMessage());
    }
  }

  /** Takes note of the steps since the last reading, and goes back if too many in a row were not finite. */
  private void read() {
    int mostInARow = takeNote();
    if (mostInARow >= NON_FINITE_LIMIT) {
      rollBack(mostInARow + " steps in a row were not finite");
    }
  }

  /** The most steps in a row that were not finite, as of each of those read; 0 where there was none to read. */
  private int takeNote() {
    if (taken.isEmpty()) {
      return 0;
    }
    List<TakenStep> steps = List.copyOf(taken);
    taken.clear();
    long asked = nanoTime.getAsLong();
    Iterator<StepMetrics> metrics = session.readMetrics().iterator();
    readNanos = nanoTime.getAsLong();
    double waited = seconds(asked, readNanos);
    int mostInARow = 0;
    double share = (steps.stream().mapToDouble(TakenStep::tookSeconds).sum() + waited) / steps.size();
    for (int i = 0; i < steps.size(); i++) {
      TakenStep step = steps.get(i);
      boolean last = i == steps.size() - 1;
      double turn = step.tookSeconds() + (last ? waited : 0);
      pace.step(share, turn, step.batch().utterances().size(), step.audioSeconds());
      TrainState after = last ? step.after().withTrainedSeconds(trainedSeconds()) : step.after();
      if (step.failure().isPresent()) {
        leaveOut(step, step.failure().get());
      } else {
        tell(step, after, metrics.next());
      }
      mostInARow = Math.max(mostInARow, nonFiniteInARow);
    }
    return mostInARow;
  }

  private void tell(TakenStep step, TrainState after, StepMetrics metrics) {
    if (metrics.step() != step.params().step()) {
      throw new IllegalStateException(
          "the metrics of step " + metrics.step() + " were read as those of step " + step.params().step());
    }
    if (counts(step, metrics)) {
      events.accept(
          new StepCompleted(after.step(), step.epoch(),
              stepScalars.of(metrics, step.params(), pace, step.waitedSeconds()), progress(after)));
    }
  }

  /**
   * Something that is not finite costs the network concerned its step; the core has not moved it. The step counts all
   * the same where losses are scaled and their scale was merely too large.
   */
  private boolean counts(TakenStep step, StepMetrics metrics) {
    lastLossScale = metrics.lossScale();
    if (StepHealth.skipped(metrics).isEmpty()) {
      nonFiniteInARow = 0;
      overflowsInARow = 0;
      soundSteps++;
      return true;
    }
    if (StepHealth.scaleTooLarge(metrics) && ++overflowsInARow < OVERFLOW_LIMIT) {
      return true;
    }
    leaveOut(step, StepHealth.describe(metrics));
    return false;
  }

  private void leaveOut(TakenStep step, String reason) {
    nonFiniteInARow++;
    lastReason = reason;
    state = state.withSkippedStep();
    SkippedStep left = step.batch().because(reason);
    events.accept(Notice.warning("Step " + left.step() + " was skipped: " + reason + " Utterances: "
        + String.join(", ", left.utterances()) + "."));
    skipped.accept(left);
  }

  /**
   * Takes the weights and optimizers of the last good checkpoint, and a lower loss scale. Step and place in the data stay:
   * what led here is not repeated. A second time soon after ends the run.
   */
  private void rollBack(String cause) {
    takeNote();
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
    read();
    Optional<ValidationCompleted> result = validator.get().run(state.step(), control::stopWaiting);
    result.ifPresent(validation -> {
      validatedStep = state.step();
      state = state.withValidation(
          validation.seconds(), validation.scalars().getOrDefault("val/mel_l1", Double.NaN));
      events.accept(validation);
    });
  }

  private boolean saveDue() {
    if (saveFailed && seconds(retrySaveNanos, nanoTime.getAsLong()) < 0) {
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
    read();
    harvest(true);
    save();
    saving.take(true).ifPresent(this::saved);
    state = state.withTrainedSeconds(trainedSeconds());
    events.accept(new RunEnded(state.step(), reason, false));
    return new RunOutcome(state, reason, interrupted, newestCheckpoint);
  }

  private Optional<StopRules.Limit> nearestLimit() {
    state = state.withTrainedSeconds(trainedSeconds());
    return nearestLimit(state);
  }

  private Optional<StopRules.Limit> nearestLimit(TrainState at) {
    long steps = at.step() - stepsBefore;
    double overall = steps == 0 ? 0 : (at.trainedSeconds() - secondsBefore) / steps;
    return stopRules.nearest(at, pace, overall);
  }

  private Progress progress(TrainState at) {
    Optional<StopRules.Limit> limit = nearestLimit(at);
    return new Progress(
        pace.stepsPerSecond(),
        pace.utterancesPerSecond(),
        pace.audioHoursPerHour(),
        at.trainedSeconds(),
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
