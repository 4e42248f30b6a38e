package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.config.CostConfig;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.StepCompleted;
import ai.valetts.training.TimeLimit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CostMeterTest {
  private static final long HOUR_NANOS = 3_600_000_000_000L;

  private final List<String> warnings = new ArrayList<>();
  private long now;

  @Test
  void countsWhatIsSpentAndWhatItWillBeAtTheEnd() {
    Map<String, Double> scalars = scalars(new CostConfig(0.5, null, null, null, null, null), 2, 3);
    assertThat(scalars.get("cost/usd")).isCloseTo(1.0, within(1e-9));
    assertThat(scalars.get("cost/usd_at_end")).isCloseTo(2.5, within(1e-9));
    assertThat(scalars).doesNotContainKeys("cost/units", "cost/session_hours_left").containsEntry("loss", 1.0);
  }

  @Test
  void unitsHaveAPrice() {
    Map<String, Double> scalars = scalars(new CostConfig(null, 2.0, null, null, null, null), 10, Double.NaN);
    assertThat(scalars.get("cost/units")).isCloseTo(20, within(1e-9));
    assertThat(scalars.get("cost/usd")).isCloseTo(20 * Session.COLAB_USD_PER_UNIT, within(1e-9));
    assertThat(scalars).doesNotContainKey("cost/usd_at_end");
    assertThat(scalars(new CostConfig(null, 2.0, 0.05, null, null, null), 10, 0).get("cost/usd")).isCloseTo(1, within(1e-9));
  }

  @Test
  void withoutAPriceOnlyTheHoursAreKnown() {
    now = HOUR_NANOS;
    assertThat(scalars(null, 1, 1)).containsOnlyKeys("loss", "cost/session_hours").containsEntry("cost/session_hours", 3.0);
  }

  @Test
  void warnsOnceBeforeTheSessionEnds() {
    CostMeter meter = meter(new CostConfig(null, null, null, 12.0, null, null), 12);
    now = 9 * HOUR_NANOS;
    assertThat(((StepCompleted) meter.apply(step(1, 1))).scalars().get("cost/session_hours_left")).isCloseTo(1, within(1e-9));
    assertThat(warnings).isEmpty();
    now = 9 * HOUR_NANOS + HOUR_NANOS * 3 / 4;
    meter.apply(step(1, 1));
    now = 11 * HOUR_NANOS;
    assertThat(((StepCompleted) meter.apply(step(1, 1))).scalars().get("cost/session_hours_left")).isZero();
    assertThat(warnings).singleElement().asString().contains("11.8 of 12 hours");
  }

  @Test
  void theBudgetAndTheHourAreLimitsOfTheLoop() {
    CostMeter meter = meter(new CostConfig(0.5, null, null, null, 3.0, 11.5), Double.NaN);
    now = HOUR_NANOS;
    assertThat(meter.limits(7200)).containsExactly(
        new TimeLimit("3 USD", 6 * 3600), new TimeLimit("11.5 hours of this session", 7200 + 8.5 * 3600));
    assertThat(meter(null, 12).limits(0)).isEmpty();
  }

  @Test
  void onColabTheSessionHasItsUsualLength() {
    assertThat(Session.now(null, Map.of("COLAB_RELEASE_TAG", "x")).limitHours()).isEqualTo(Session.COLAB_HOURS);
    assertThat(Session.now(24.0, Map.of("COLAB_GPU", "1")).limitHours()).isEqualTo(24);
    assertThat(Session.now(null, Map.of()).limitHours()).isNaN();
    assertThat(Session.now(null, Map.of()).hours(System.nanoTime())).isBetween(0.0, 24.0);
  }

  @Test
  void aProcessThatIsStartedAgainBelongsToTheSessionOfItsSupervisor() {
    long now = System.currentTimeMillis() / 1000;
    Map<String, String> environment = new HashMap<>(Map.of(Session.START, String.valueOf(now - 7200)));
    Supervisor.tellSession(environment);
    assertThat(Session.now(null, environment).hoursAtStart()).isBetween(2.0, 2.1);
    Map<String, String> fresh = new HashMap<>();
    Supervisor.tellSession(fresh);
    assertThat(Session.now(null, fresh).hoursAtStart()).isBetween(0.0, 0.1);
    for (String nonsense : List.of("", "soon", "-5", String.valueOf(now + 7200), "99999999999999999999")) {
      assertThat(Session.now(null, Map.of(Session.START, nonsense)).hoursAtStart()).isBetween(0.0, 24.0);
    }
  }

  @Test
  void otherEventsPassUnchanged() {
    RunEvent ended = new RunEnded(3, "done", false);
    assertThat(meter(null, 12).apply(ended)).isSameAs(ended);
  }

  private Map<String, Double> scalars(CostConfig config, double trainedHours, double hoursToGo) {
    return ((StepCompleted) meter(config, Double.NaN).apply(step(trainedHours, hoursToGo))).scalars();
  }

  private static StepCompleted step(double trainedHours, double hoursToGo) {
    return new StepCompleted(
        5, 0, Map.of("loss", 1.0), new Progress(1, 1, 1, trainedHours * 3600, 0, hoursToGo * 3600, ""));
  }

  /** Of a session that is two hours old. */
  private CostMeter meter(CostConfig config, double limitHours) {
    return new CostMeter(config, new Session(2, limitHours, 0), warnings::add, () -> now);
  }
}
