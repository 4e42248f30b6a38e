package ai.valetts.training;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.checkpoint.TrainState;
import ai.valetts.config.TrainingConfig;
import java.util.List;
import org.junit.jupiter.api.Test;

class StopRulesTest {
  private static final TrainingConfig HOUR = new TrainingConfig(1, "cpu", 1, null, null, null, 8, 1000L, null, 60.0);

  @Test
  void theBudgetEndsTheRunWhenItIsTheFirstLimit() {
    StopRules.Limit limit = nearest(1000, new TimeLimit("3 USD", 1800), new TimeLimit("11 hours of this session", 9000));
    assertThat(limit.name()).isEqualTo("3 USD");
    assertThat(limit.secondsToGo()).isEqualTo(800);
    assertThat(limit.reached()).isFalse();
  }

  @Test
  void theLastValidationAndCheckpointEndInsideTheBudget() {
    // Validation 20 s and checkpoint 40 s took so long the last time, with half of it to spare.
    assertThat(nearest(1700, new TimeLimit("3 USD", 1800)).reached()).isFalse();
    assertThat(nearest(1711, new TimeLimit("3 USD", 1800)).reached()).isTrue();
  }

  @Test
  void anHourThatHasPassedAlreadyEndsTheRunAtOnce() {
    StopRules.Limit limit = nearest(500, new TimeLimit("11.5 hours of this session", -20));
    assertThat(limit.reached()).isTrue();
    assertThat(limit.fraction()).isEqualTo(1);
    assertThat(limit.secondsToGo()).isZero();
  }

  private static StopRules.Limit nearest(double trainedSeconds, TimeLimit... limits) {
    TrainState state = new TrainState(10, 0, 10, trainedSeconds, 0, 20, 40, Double.NaN, Double.NaN, 0);
    return new StopRules(HOUR, 100, 0, List.of(limits)).nearest(state, new PaceMeter(), 1000).orElseThrow();
  }
}
