package ai.valetts.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.checkpoint.CheckpointWriteException;
import ai.valetts.checkpoint.RunIdentity;
import ai.valetts.checkpoint.TrainState;
import ai.valetts.config.CheckpointConfig;
import ai.valetts.config.OptimizerConfig;
import ai.valetts.config.SynthesisConfig;
import ai.valetts.config.TrainingConfig;
import ai.valetts.engine.BatchTotals;
import ai.valetts.engine.EngineOutOfMemoryException;
import ai.valetts.engine.NonFiniteLossException;
import ai.valetts.engine.StepPhase;
import ai.valetts.event.AudioSample;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.HeatMap;
import ai.valetts.event.Notice;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class TrainerTest {
  private static final long SECOND = 1_000_000_000L;

  @TempDir private Path root;
  private final List<RunEvent> events = new ArrayList<>();
  private final List<RunControl.JournalEntry> journal = new ArrayList<>();
  private final RunControl control = new RunControl(journal::add);
  private final FakeSession session = new FakeSession();
  private TrainingConfig limits = new TrainingConfig(1, "cpu", 1, null, null, null, 8, 12L, null, null);
  private CheckpointConfig saving = new CheckpointConfig(5, null, 10);
  private boolean validating = true;
  private int validateEvery = 4;
  private Integer patience;
  private long now;
  private String schedule;
  private Integer warmup;
  private int microBatch = 64;
  private int batchSize = 1;
  private final List<SkippedStep> skipped = new ArrayList<>();
  private final List<Integer> microBatches = new ArrayList<>();

  @Test
  void stepsValidatesAndSavesWhenDueAndEndsWithBoth() {
    RunOutcome outcome = run();

    assertThat(outcome.state().step()).isEqualTo(12);
    assertThat(outcome.interrupted()).isFalse();
    assertThat(outcome.reason()).contains("12 steps");
    assertThat(events(StepCompleted.class)).extracting(StepCompleted::step).startsWith(1L, 2L).hasSize(12);
    assertThat(events(ValidationCompleted.class)).extracting(ValidationCompleted::step).containsExactly(4L, 8L, 12L);
    assertThat(events(CheckpointSaved.class)).extracting(CheckpointSaved::step).containsExactly(5L, 10L, 12L);
    assertThat(outcome.checkpoint()).isEqualTo(root.resolve("step-00000012"));
    assertThat(events.get(events.size() - 1)).isInstanceOf(RunEnded.class);
  }

  @Test
  void resumedRunRepeatsTheUninterruptedOneExactly() {
    limits = steps(40);
    run();
    List<Double> whole = List.copyOf(session.losses);

    Path elsewhere = root.resolve("b");
    FakeSession first = new FakeSession();
    limits = steps(17);
    run(first, elsewhere, false);
    FakeSession second = new FakeSession();
    limits = steps(40);
    run(second, elsewhere, true);

    List<Double> joined = new ArrayList<>(first.losses);
    joined.addAll(second.losses);
    assertThat(joined).isEqualTo(whole);
  }

  @Test
  void learningRatesDecayOncePerEpoch() {
    run();
    assertThat(session.params.get(4).generatorLearningRate()).isEqualTo(0.1);
    assertThat(session.params.get(5).generatorLearningRate()).isCloseTo(0.09, within(1e-12));
    assertThat(session.params.get(11).discriminatorLearningRate()).isCloseTo(0.2 * 0.81, within(1e-12));
    assertThat(session.params.get(11).durationDiscriminatorLearningRate()).isCloseTo(0.081, within(1e-12));
    assertThat(session.params).extracting(p -> p.step()).startsWith(0L, 1L).endsWith(11L);
  }

  @Test
  void theLastCheckpointKnowsTheLastValidation() {
    saving = new CheckpointConfig(4, null, 10);
    validateEvery = 5;
    RunOutcome outcome = run();
    assertThat(events(CheckpointSaved.class)).extracting(CheckpointSaved::step).containsExactly(4L, 8L, 12L);
    assertThat(events(ValidationCompleted.class)).extracting(ValidationCompleted::step).containsExactly(5L, 10L, 12L);
    double last = events(ValidationCompleted.class).get(2).scalars().get("val/mel_l1");
    assertThat(CheckpointStore.open(outcome.checkpoint()).state().validationMelL1()).isEqualTo(last);
    assertThat(CheckpointStore.open(root.resolve("step-00000004")).state().validationMelL1()).isNaN();
  }

  @Test
  void patienceEndsTheRunOnceSoManyValidationsInARowWereNotBetter() {
    patience = 3;
    validateEvery = 2;
    limits = steps(40);
    double[] sums = {4, 3, 3.5, 3, 2.9, 3.1, 3.2, 2.9, 1};
    session.melL1 = number -> sums[(number - 1) / 3];
    RunOutcome outcome = run();
    assertThat(outcome.state().step()).isEqualTo(16);
    assertThat(outcome.interrupted()).isFalse();
    assertThat(outcome.reason()).contains("3 validations (validation.patience)", "0.7250");
    TrainState kept = CheckpointStore.open(outcome.checkpoint()).state();
    assertThat(kept.bestValidationMelL1()).isEqualTo(2.9 / 4);
    assertThat(kept.validationsSinceBest()).isEqualTo(3);
  }

  @Test
  void patienceIsCountedOverResumesAndASpentRunNeedsMore() {
    patience = 3;
    validateEvery = 2;
    limits = steps(6);
    run();
    limits = steps(40);
    FakeSession second = new FakeSession();
    assertThat(run(second, root, true).state().step()).as("one better, then two and one more").isEqualTo(8);
    FakeSession third = new FakeSession();
    assertThat(run(third, root, true).state().step()).isEqualTo(8);
    assertThat(third.losses).isEmpty();
    patience = 5;
    assertThat(run(new FakeSession(), root, true).state().step()).isEqualTo(12);
  }

  @Test
  void withoutHeldOutClipsPatienceEndsNothing() {
    patience = 1;
    validating = false;
    assertThat(run().state().step()).isEqualTo(12);
  }

  @Test
  void stopsAfterTheLastEpoch() {
    limits = new TrainingConfig(1, "cpu", 1, null, null, null, 8, null, 3, null);
    RunOutcome outcome = run();
    assertThat(outcome.state().step()).isEqualTo(15);
    assertThat(outcome.state().epoch()).isEqualTo(3);
    assertThat(outcome.reason()).contains("3 epochs");
  }

  @Test
  void minutesIncludeTheLastValidationAndCheckpoint() {
    limits = new TrainingConfig(1, "cpu", 1, null, null, null, 8, null, null, 2.0);
    saving = new CheckpointConfig(null, 0.25, 10);
    validateEvery = 20;
    session.beforeStep = () -> now += SECOND;
    session.beforeEvaluate = () -> now += 3 * SECOND;

    RunOutcome outcome = run();

    assertThat(outcome.reason()).contains("2 minutes");
    assertThat(outcome.state().trainedSeconds()).isBetween(105.0, 120.0);
    assertThat(events(ValidationCompleted.class)).last().extracting(ValidationCompleted::step)
        .isEqualTo(outcome.state().step());
  }

  @Test
  void minutesCountOverResumes() {
    limits = new TrainingConfig(1, "cpu", 1, null, null, null, 8, null, null, 1.0);
    validating = false;
    session.beforeStep = () -> {
      now += SECOND;
      if (session.losses.size() == 30) {
        control.requestStop("test");
      }
    };
    RunOutcome half = run();
    assertThat(half.state().trainedSeconds()).isCloseTo(31, within(0.5));

    now += 1000 * SECOND;
    FakeSession again = new FakeSession();
    again.beforeStep = () -> now += SECOND;
    RunOutcome rest = run(again, root, true);
    assertThat(again.losses).hasSizeBetween(27, 29);
    assertThat(rest.state().trainedSeconds()).isBetween(58.0, 60.0);
  }

  @Test
  void aSpentBudgetIsNotSpentAgain() {
    run();
    FakeSession again = new FakeSession();
    RunOutcome outcome = run(again, root, true);
    assertThat(again.losses).isEmpty();
    assertThat(again.evaluations).isZero();
    assertThat(outcome.checkpoint()).isEqualTo(root.resolve("step-00000012"));
  }

  @Test
  void stopRequestSavesAtTheNextBoundaryAndLeaves() {
    session.beforeStep = () -> {
      if (session.losses.size() == 6) {
        control.requestStop("interrupted");
      }
    };
    RunOutcome outcome = run();
    assertThat(outcome.interrupted()).isTrue();
    assertThat(outcome.state().step()).isEqualTo(7);
    assertThat(outcome.checkpoint()).isEqualTo(root.resolve("step-00000007"));
    assertThat(journal).singleElement().satisfies(entry -> {
      assertThat(entry.step()).isEqualTo(7);
      assertThat(entry.request().reason()).isEqualTo("interrupted");
    });
  }

  @Test
  void stopRequestCutsAValidationShort() {
    session.beforeEvaluate = () -> control.requestStop("interrupted");
    RunOutcome outcome = run();
    assertThat(session.evaluations).isEqualTo(1);
    assertThat(events(ValidationCompleted.class)).isEmpty();
    assertThat(outcome.interrupted()).isTrue();
    assertThat(outcome.state().step()).isEqualTo(4);
  }

  @Test
  void checkpointRequestSavesAndGoesOn() {
    saving = new CheckpointConfig(null, null, 10);
    session.beforeStep = () -> {
      if (session.losses.size() == 2) {
        control.requestCheckpoint("asked");
      }
    };
    RunOutcome outcome = run();
    assertThat(events(CheckpointSaved.class)).extracting(CheckpointSaved::step).containsExactly(4L, 12L);
    assertThat(outcome.state().step()).isEqualTo(12);
  }

  @Test
  void stepsGoOnWhileASlowDiskTakesACheckpoint() {
    saving = new CheckpointConfig(null, 1.0, 10);
    validating = false;
    CountDownLatch diskFree = new CountDownLatch(1);
    session.beforeWrite = () -> {
      try {
        diskFree.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    };
    // The first is due at step 3 and is still being written when two more are due and one is asked for.
    session.beforeStep = () -> {
      now += 20 * SECOND;
      if (session.losses.size() == 7) {
        control.requestCheckpoint("asked");
      }
      if (session.losses.size() == 10) {
        diskFree.countDown();
      }
    };
    run();
    assertThat(session.losses).hasSize(12);
    assertThat(events(CheckpointSaved.class)).extracting(CheckpointSaved::step).startsWith(3L).endsWith(12L)
        .doesNotContain(6L, 8L, 9L, 10L);
  }

  @Test
  void aRunGoesBackToACheckpointThatVerifies() {
    limits = steps(40);
    for (long step = 11; step < 21; step++) {
      session.nonFiniteSteps.add(step);
    }
    session.beforeStep = () -> {
      if (session.losses.size() == 11) {
        damage(root.resolve("step-00000010"));
      }
    };
    run();
    assertThat(events(Notice.class)).extracting(Notice::text)
        .filteredOn(text -> text.contains("went back")).singleElement().asString().contains("step-00000005");
  }

  private static void damage(Path checkpoint) {
    // It is written in the background.
    while (!Files.exists(checkpoint)) {
      LockSupport.parkNanos(1_000_000);
    }
    try {
      Files.write(checkpoint.resolve(FakeSession.FILE), new byte[] {1, 2, 3});
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void anotherLearningRateHoldsFromTheNextStepOnAndStillDecays() {
    session.beforeStep = () -> {
      if (session.losses.size() == 2) {
        control.requestChange("optimizer.learningRate", 0.05, "c1");
      }
    };
    run();
    assertThat(session.params.get(2).generatorLearningRate()).isEqualTo(0.1);
    assertThat(session.params.get(3).generatorLearningRate()).isEqualTo(0.05);
    assertThat(session.params.get(3).discriminatorLearningRate()).isEqualTo(0.2);
    assertThat(session.params.get(3).durationDiscriminatorLearningRate()).isEqualTo(0.05);
    assertThat(session.params.get(5).generatorLearningRate()).isCloseTo(0.045, within(1e-12));
    assertThat(events(Notice.class)).extracting(Notice::text)
        .contains("From step 4 on optimizer.learningRate is 0.05 instead of 0.1: c1");
    assertThat(journal).containsExactly(new RunControl.JournalEntry(
        3, new RunControl.Request(RunControl.Kind.CHANGE, "c1", "optimizer.learningRate", 0.05)));
  }

  @Test
  void aLimitOfTheGradientHoldsFromTheNextStepOn() {
    session.beforeStep = () -> {
      if (session.losses.size() == 2) {
        control.requestChange("optimizer.gradientClip", 25, "c1");
      }
    };
    run();
    assertThat(session.params.get(2).gradientLimit()).isZero();
    assertThat(session.params.get(3).gradientLimit()).isEqualTo(25);
    assertThat(session.params.get(11).gradientLimit()).isEqualTo(25);
  }

  @Test
  void aChangeThatNoLoopCanMakeIsRefused() {
    assertThatThrownBy(() -> control.requestChange("data.batchSize", 2, "c1"))
        .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("data.batchSize");
    for (double value : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> control.requestChange("optimizer.learningRate", value, "c1"))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aNonFiniteLossLeavesItsStepOutAndNamesLossNetworkAndClip() {
    session.nonFiniteSteps.add(3L);
    RunOutcome outcome = run();
    assertThat(outcome.state().step()).isEqualTo(12);
    assertThat(outcome.state().skippedSteps()).isEqualTo(1);
    assertThat(events(StepCompleted.class)).hasSize(11);
    assertThat(events(Notice.class)).singleElement().extracting(Notice::text).asString()
        .contains("mel loss not finite").contains("the generator stayed").contains("clip3");
    assertThat(skipped).singleElement().satisfies(step -> {
      assertThat(step.step()).isEqualTo(3);
      assertThat(step.utterances()).containsExactly("clip3");
      assertThat(step.samples()).containsExactly(8);
      assertThat(step.peaks()).containsExactly(0.3f);
    });
    assertThat(CheckpointStore.open(outcome.checkpoint()).state().skippedSteps()).isEqualTo(1);
  }

  @Test
  void samplesThatAreNotNumbersCostTheirStepBeforeAnyNetworkMoves() {
    session.unreadableSteps.add(3L);
    run();
    assertThat(session.discards).isEqualTo(1);
    assertThat(session.applied).hasSize(2 * 11);
    assertThat(skipped).singleElement().extracting(SkippedStep::reason).asString().contains("item 0");
  }

  @Test
  void tenInARowGoBackToTheLastCheckpointAndOnBehindTheDataThatLedThere() {
    limits = steps(40);
    for (long step = 6; step < 16; step++) {
      session.nonFiniteSteps.add(step);
    }
    RunOutcome outcome = run();
    assertThat(outcome.state().step()).isEqualTo(40);
    assertThat(outcome.state().skippedSteps()).isEqualTo(10);
    assertThat(events(Notice.class)).extracting(Notice::text)
        .filteredOn(text -> text.contains("went back")).singleElement().asString()
        .contains("step-00000005").contains("At step 16");
    // Nothing is saved while steps are being left out.
    assertThat(events(CheckpointSaved.class)).extracting(CheckpointSaved::step).startsWith(5L, 20L);
    assertThat(session.params.get(16).lossScaleLimit()).isEqualTo(1);
    assertThat(session.params.get(17).lossScaleLimit()).isZero();
  }

  @Test
  void goingBackASecondTimeStopsWithAdvice() {
    limits = steps(60);
    for (long step = 6; step < 60; step++) {
      session.nonFiniteSteps.add(step);
    }
    assertThatThrownBy(this::run)
        .isInstanceOf(NonFiniteLossException.class)
        .hasMessageContaining("10 steps in a row")
        .hasMessageContaining("mel loss")
        .hasMessageContaining("learningRate")
        .hasMessageContaining("step-00000005");
    assertThat(session.losses).hasSize(6);
    assertThat(store(root).newest().orElseThrow().state().step()).isEqualTo(5);
  }

  @Test
  void aWeightThatIsNotANumberIsNotSavedAndTheRunGoesBack() {
    session.beforeStep = () -> session.brokenWeight = session.losses.size() == 9;
    run();
    assertThat(events(CheckpointSaved.class)).extracting(CheckpointSaved::step).startsWith(5L).endsWith(12L);
    assertThat(events(Notice.class)).extracting(Notice::text)
        .anyMatch(text -> text.contains("a weight was not finite") && text.contains("step-00000005"));
  }

  @Test
  void aLossScaleThatIsTooLargeIsNoFault() {
    limits = new TrainingConfig(1, "cpu", 1, "fp16", null, null, 8, 30L, null, null);
    session.lossScale = 512;
    RunOutcome outcome = run();
    assertThat(outcome.state().skippedSteps()).isZero();
    assertThat(events(StepCompleted.class)).hasSize(30);
    assertThat(skipped).isEmpty();
  }

  @Test
  void aScaleThatNeverFitsIsAFaultInTheEnd() {
    limits = new TrainingConfig(1, "cpu", 1, "fp16", null, null, 8, 300L, null, null);
    session.lossScale = 512;
    assertThatThrownBy(this::run).isInstanceOf(NonFiniteLossException.class).hasMessageContaining("gradient");
    assertThat(session.params).anySatisfy(step -> assertThat(step.lossScaleLimit()).isEqualTo(8));
  }

  @Test
  void aBatchGoesThroughInMicroBatchesOfNearlyOneSizePhaseByPhase() {
    batchSize = 7;
    microBatch = 3;
    limits = steps(1);
    run();
    assertThat(session.pieces).hasSize(6);
    assertThat(session.pieces.get(0)).isEqualTo("DISCRIMINATORS clip0+clip0.1");
    assertThat(session.pieces.get(2)).isEqualTo("DISCRIMINATORS clip0.4+clip0.5+clip0.6");
    assertThat(session.pieces.get(3)).startsWith("GENERATOR clip0+");
    assertThat(session.params.get(0).totals()).isEqualTo(new BatchTotals(7, 14, 14));
  }

  @Test
  void theNextBatchIsBroughtAheadBetweenThePhases() {
    limits = steps(3);
    run();
    assertThat(session.prefetched).containsExactly("1 clip1", "3 clip2", "5 clip3");
  }

  @Test
  void aBatchThatGoesThroughInPartsIsNotBroughtAhead() {
    batchSize = 4;
    microBatch = 3;
    limits = steps(2);
    run();
    assertThat(session.prefetched).isEmpty();
  }

  @Test
  void microBatchesGiveTheStepOfTheWholeBatch() {
    batchSize = 7;
    run();
    List<Double> whole = List.copyOf(session.losses);
    FakeSession parts = new FakeSession();
    microBatch = 2;
    run(parts, root.resolve("b"), false);
    assertThat(parts.losses).usingComparatorForType((a, b) -> Math.abs(a - b) < 1e-12 ? 0 : 1, Double.class)
        .isEqualTo(whole);
  }

  @Test
  void whenMemoryRunsOutThePhaseIsBegunAgainInHalvesAndNoPhaseStepsTwice() {
    batchSize = 8;
    limits = steps(3);
    session.beforeStep = () -> session.fitting = session.losses.size() == 1 ? 3 : Integer.MAX_VALUE;
    RunOutcome outcome = run();
    assertThat(outcome.state().step()).isEqualTo(3);
    assertThat(outcome.state().skippedSteps()).isZero();
    assertThat(session.applied).containsExactly(
        StepPhase.DISCRIMINATORS, StepPhase.GENERATOR, StepPhase.DISCRIMINATORS, StepPhase.GENERATOR,
        StepPhase.DISCRIMINATORS, StepPhase.GENERATOR);
    assertThat(microBatches).containsExactly(4, 2);
    assertThat(session.discards).isEqualTo(2);
    assertThat(events(Notice.class)).extracting(Notice::text).allMatch(text -> text.contains("Memory ran out"));
  }

  @Test
  void oneUtteranceThatDoesNotFitStopsWithAdviceThatNamesIt() {
    session.fitting = 0;
    assertThatThrownBy(this::run).isInstanceOf(EngineOutOfMemoryException.class)
        .hasMessageContaining("clip0").hasMessageContaining("data.maxSeconds");
  }

  @Test
  void aFullDiskOnTheWayIsTriedAgainAndAtTheEndStopsTheRun() {
    session.beforeStep = () -> {
      now += 20 * SECOND;
      session.diskFull = session.losses.size() >= 6 && session.losses.size() < 11;
    };
    RunOutcome outcome = run();
    assertThat(outcome.state().step()).isEqualTo(12);
    assertThat(events(Notice.class)).extracting(Notice::text)
        .anyMatch(text -> text.contains("No space left on device") && text.contains("tries again"));
    assertThat(store(root).newest().orElseThrow().state().step()).isEqualTo(12);

    FakeSession full = new FakeSession();
    full.beforeStep = () -> full.diskFull = full.losses.size() >= 6;
    assertThatThrownBy(() -> run(full, root.resolve("b"), false))
        .isInstanceOf(CheckpointWriteException.class)
        .hasMessageContaining("No space left on device");
    assertThat(store(root.resolve("b")).newest().orElseThrow().state().step()).isEqualTo(5);
  }

  @Test
  void ratesRiseOverTheWarmUpAndFallByTheCosine() {
    schedule = "cosine";
    warmup = 4;
    run();
    assertThat(session.params.get(0).generatorLearningRate()).isCloseTo(0.025, within(1e-12));
    assertThat(session.params.get(6).generatorLearningRate()).isCloseTo(0.05, within(1e-12));
    assertThat(session.params.get(6).discriminatorLearningRate()).isCloseTo(0.1, within(1e-12));
    assertThat(session.params.get(11).generatorLearningRate()).isBetween(0.001, 0.002);
  }

  @Test
  void validationReportsRatioAudioAndImages() {
    run();
    ValidationCompleted validation = events(ValidationCompleted.class).get(0);
    assertThat(validation.scalars())
        .containsEntry("val/mel_l1", 0.5)
        .containsEntry("val/mel_ratio", 0.25)
        .containsEntry("val/kl", 3.0)
        .containsEntry("val/duration_error", 0.5);
    assertThat(validation.audio()).extracting(AudioSample::tag).containsExactly("gt/audio", "gen/audio", "sample/ana/0");
    assertThat(validation.images()).extracting(HeatMap::tag)
        .containsExactly("gt/mel", "gen/mel", "all/mel", "slice/mel_org", "slice/mel_gen", "all/attn");
    assertThat(validation.images().get(3).rows()).isEqualTo(2);
    assertThat(validation.images().get(3).columns()).isEqualTo(2);
    assertThat(validation.images().get(5)).satisfies(attention -> {
      assertThat(attention.rows()).isEqualTo(2);
      assertThat(attention.columns()).isEqualTo(3);
    });
  }

  @Test
  void timeToGoFollowsTheNearestLimit() {
    limits = new TrainingConfig(1, "cpu", 1, null, null, null, 8, 100L, null, 0.5);
    validating = false;
    session.beforeStep = () -> now += SECOND;
    run();
    StepCompleted tenth = events(StepCompleted.class).get(9);
    assertThat(tenth.progress().limit()).isEqualTo("0.50 minutes");
    assertThat(tenth.progress().secondsToGo()).isCloseTo(20, within(0.1));
    assertThat(tenth.progress().stepsPerSecond()).isCloseTo(1, within(0.01));
    assertThat(tenth.progress().fraction()).isCloseTo(1 / 3.0, within(0.01));
  }

  @Test
  void withoutALimitThereIsNoTimeToGo() {
    limits = new TrainingConfig(1, "cpu", 1, null, null, null, 8, null, null, null);
    session.beforeStep = () -> {
      if (session.losses.size() == 3) {
        control.requestStop("enough");
      }
    };
    run();
    assertThat(events(StepCompleted.class).get(0).progress().secondsToGo()).isNaN();
  }

  @Test
  void theScalarsCarryTheNamesVitsUsersKnow() {
    run();
    assertThat(events(StepCompleted.class).get(0).scalars().keySet())
        .contains("loss/g/total", "loss/d/total", "loss/g/fm", "loss/g/mel", "loss/g/kl", "loss/g/dur", "loss/g/0",
            "loss/d_r/5", "loss/d_g/5", "loss/dur_disc/total", "learning_rate", "grad_norm_g", "grad_norm_d",
            "grad_norm_dur_disc", "perf/it_s", "perf/utterances_s", "perf/audio_hours_per_hour", "perf/data_wait_ms");
  }

  @Test
  void aScaledLossIsReportedWithWhatItCost() {
    limits = new TrainingConfig(1, "cpu", 1, "fp16", null, null, 8, 2L, null, null);
    session.lossScale = 512;
    run();
    assertThat(events(StepCompleted.class).get(1).scalars())
        .containsEntry("amp/loss_scale", 512.0)
        .containsEntry("amp/skipped_g", 2.0)
        .containsEntry("amp/skipped_d", 0.0)
        .containsEntry("amp/skipped_dur_disc", 0.0);
    limits = steps(1);
    run();
    assertThat(events(StepCompleted.class).get(2).scalars()).doesNotContainKey("amp/loss_scale");
  }

  @Test
  void readingTheMetricsRarelyTellsTheSameStepsTheSameWay() {
    limits = steps(40);
    validateEvery = 7;
    session.nonFiniteSteps.addAll(List.of(3L, 12L));
    session.unreadableSteps.add(17L);
    session.beforeStep = () -> changeAndAdvance(session);
    run();
    final List<RunEvent> events = told();
    final List<SkippedStep> skipped = List.copyOf(this.skipped);
    final List<String> checkpoints = checkpoints(root);
    assertThat(skipped).extracting(SkippedStep::step).containsExactly(3L, 12L, 17L);
    for (int every : List.of(1, 2, 5, 100)) {
      this.events.clear();
      this.skipped.clear();
      now = 0;
      FakeSession rare = new FakeSession();
      rare.nonFiniteSteps.addAll(session.nonFiniteSteps);
      rare.unreadableSteps.addAll(session.unreadableSteps);
      rare.beforeStep = () -> changeAndAdvance(rare);
      limits = reading(40, every);
      run(rare, root.resolve("every" + every), false);
      assertThat(rare.losses).isEqualTo(session.losses);
      assertThat(told()).isEqualTo(events);
      assertThat(this.skipped).isEqualTo(skipped);
      assertThat(checkpoints(root.resolve("every" + every))).isEqualTo(checkpoints);
    }
  }

  private void changeAndAdvance(FakeSession with) {
    now += SECOND;
    if (with.losses.size() == 20) {
      control.requestChange("optimizer.learningRate", 0.05, "c1");
      control.requestChange("optimizer.learningRate", 0.1, "c2");
    }
  }

  /** Checkpoints are written in the background: when they are told is the disk's business. */
  private List<RunEvent> told() {
    return events.stream().filter(event -> !(event instanceof CheckpointSaved)).map(TrainerTest::comparable).toList();
  }

  private static RunEvent comparable(RunEvent event) {
    return event instanceof ValidationCompleted validation
        ? new ValidationCompleted(validation.step(), validation.scalars(), List.of(), List.of(), validation.seconds())
        : event;
  }

  private List<String> checkpoints(Path directory) {
    List<String> found = new ArrayList<>();
    for (CheckpointSaved saved : events(CheckpointSaved.class)) {
      Path checkpoint = directory.resolve("step-%08d".formatted(saved.step()));
      TrainState state = CheckpointStore.open(checkpoint).state();
      try {
        found.add(saved.step() + " " + state.skippedSteps() + " " + state.validationMelL1() + " "
            + HexFormat.of().formatHex(Files.readAllBytes(checkpoint.resolve(FakeSession.FILE))));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return found;
  }

  @Test
  void metricsAreReadEverySoManyStepsAndBeforeWhatMustKnowThem() {
    limits = reading(23, 10);
    saving = new CheckpointConfig(17, null, 10);
    validateEvery = 14;
    run();
    // After the first step, which tells the pace; at 10, 14 (validation), 17 (checkpoint), 20 and 23 (the end).
    assertThat(session.reads).containsExactly(1, 9, 4, 3, 3, 3);
  }

  @Test
  void withoutTheKeyMetricsAreReadAtEveryStep() {
    run();
    assertThat(session.reads).hasSize(12).containsOnly(1);
  }

  @Test
  void aRequestFindsTheStepsBeforeItTold() {
    limits = reading(40, 100);
    saving = new CheckpointConfig(null, null, 10);
    validating = false;
    session.beforeStep = () -> {
      if (session.losses.size() == 6) {
        control.requestStop("interrupted");
      }
    };
    RunOutcome outcome = run();
    assertThat(outcome.state().step()).isEqualTo(7);
    assertThat(session.reads).containsExactly(1, 6);
    assertThat(events).extracting(RunEvent::getClass).endsWith(StepCompleted.class, CheckpointSaved.class, RunEnded.class);
    assertThat(events(StepCompleted.class)).hasSize(7);
  }

  @Test
  void tenInARowAreFoundAtTheNextReadingAndGoBackThen() {
    limits = reading(60, 8);
    for (long step = 6; step < 16; step++) {
      session.nonFiniteSteps.add(step);
    }
    RunOutcome outcome = run();
    assertThat(outcome.state().step()).isEqualTo(60);
    assertThat(outcome.state().skippedSteps()).isEqualTo(10);
    assertThat(skipped).extracting(SkippedStep::step).containsExactly(6L, 7L, 8L, 9L, 10L, 11L, 12L, 13L, 14L, 15L);
    assertThat(events(Notice.class)).extracting(Notice::text).filteredOn(text -> text.contains("went back"))
        .singleElement().asString().contains("step-00000005").contains("At step 16");
    assertThat(session.params.get(16).lossScaleLimit()).isEqualTo(1);
    assertThat(events(CheckpointSaved.class)).extracting(CheckpointSaved::step).startsWith(5L, 20L);
  }

  @Test
  void tenInARowGoBackEvenIfTheStepsReadWithThemWereSound() {
    limits = reading(40, 20);
    validating = false;
    for (long step = 21; step < 31; step++) {
      session.nonFiniteSteps.add(step);
    }
    saving = new CheckpointConfig(21, null, 10);
    run();
    assertThat(events(Notice.class)).extracting(Notice::text).filteredOn(text -> text.contains("went back"))
        .singleElement().asString().contains("10 steps in a row").contains("step-00000021").contains("At step 40");
  }

  @Test
  void aWeightThatIsNotANumberSendsARunBackOnceAlthoughMetricsWait() {
    limits = reading(60, 50);
    saving = new CheckpointConfig(5, null, 10);
    validating = false;
    session.beforeStep = () -> session.brokenWeight = session.losses.size() == 9;
    run();
    assertThat(session.losses).hasSize(60);
    assertThat(events(StepCompleted.class)).extracting(StepCompleted::step).hasSize(60).doesNotHaveDuplicates().isSorted();
    assertThat(events(Notice.class)).extracting(Notice::text).filteredOn(text -> text.contains("went back"))
        .singleElement().asString().contains("a weight was not finite");
  }

  @Test
  void aFaultEndsTheRunAfterTheStepsBeforeItAreTold() {
    limits = reading(40, 100);
    validating = false;
    saving = new CheckpointConfig(null, null, 10);
    session.beforeStep = () -> session.fitting = session.losses.size() == 6 ? 0 : Integer.MAX_VALUE;
    assertThatThrownBy(this::run).isInstanceOf(EngineOutOfMemoryException.class);
    assertThat(events(StepCompleted.class)).extracting(StepCompleted::step).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
  }

  @Test
  void aLossScaleThatIsTooLargeIsNoFaultHoweverRarelyItIsRead() {
    limits = new TrainingConfig(1, "cpu", 1, "fp16", null, null, 25, 8, 30L, null, null, null);
    session.lossScale = 512;
    RunOutcome outcome = run();
    assertThat(outcome.state().skippedSteps()).isZero();
    assertThat(events(StepCompleted.class)).hasSize(30).last().satisfies(
        step -> assertThat(step.scalars()).containsEntry("amp/skipped_g", 30.0));
  }

  @Test
  void aBudgetOfMinutesEndsAtTheSameStepHoweverRarelyMetricsAreRead() {
    saving = new CheckpointConfig(null, 0.25, 10);
    validateEvery = 20;
    List<Long> ends = new ArrayList<>();
    for (Integer every : List.of(1, 7, 100)) {
      now = 0;
      FakeSession timed = new FakeSession();
      timed.beforeStep = () -> now += SECOND;
      timed.beforeEvaluate = () -> now += 3 * SECOND;
      limits = new TrainingConfig(1, "cpu", 1, null, null, null, every, 8, null, null, 2.0, null);
      ends.add(run(timed, root.resolve("every" + every), false).state().step());
    }
    assertThat(ends).hasSize(3).containsOnly(ends.get(0));
  }

  private static TrainingConfig steps(long count) {
    return new TrainingConfig(1, "cpu", 1, null, null, null, 8, count, null, null);
  }

  private static TrainingConfig reading(long count, int everySteps) {
    return new TrainingConfig(1, "cpu", 1, null, null, null, everySteps, 8, count, null, null, null);
  }

  private RunOutcome run() {
    return run(session, root, false);
  }

  private RunOutcome run(FakeSession with, Path directory, boolean resume) {
    CheckpointStore store = store(directory);
    Optional<Checkpoint> checkpoint = resume ? store.newest() : Optional.empty();
    checkpoint.ifPresent(c -> with.load(c.directory()));
    FakeBatches batches =
        checkpoint.map(c -> new FakeBatches(c.state().epoch(), c.state().batchInEpoch(), batchSize))
            .orElseGet(() -> new FakeBatches(0, 0, batchSize));
    Sentence sentence = new Sentence(0, "olá", "ana", 0, new int[] {1, 2});
    Validator validator =
        new Validator(with, batches,
            new Validator.Settings(1, List.of(sentence), new SynthesisConfig(0.6f, 0.8f, 1), 8000, 2, 1, 2.0),
            () -> now);
    OptimizerConfig optimizer = new OptimizerConfig(0.1, 0.2, null, 0.9, schedule, warmup, 0.8, 0.99, 1e-9, 0.01, 45, 1, null, null);
    Trainer.Parts parts =
        new Trainer.Parts(with, batches, validating ? Optional.of(validator) : Optional.empty(), store,
            new RunIdentity(1, 1, "fake", "hash"), control, events::add, skipped::add, microBatches::add, () -> now);
    Trainer.Schedule schedule = new Trainer.Schedule(limits, optimizer, saving, validateEvery, patience, 8000, 4, microBatch, true);
    return new Trainer(parts, schedule, checkpoint).run();
  }

  private CheckpointStore store(Path directory) {
    return new CheckpointStore(directory, 10, Map.of(), text -> {});
  }

  private <T extends RunEvent> List<T> events(Class<T> type) {
    return events.stream().filter(type::isInstance).map(type::cast).toList();
  }
}
