package ai.valetts.app;

import ai.valetts.config.CostConfig;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEvent;
import ai.valetts.event.StepCompleted;
import ai.valetts.training.TimeLimit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;

/**
 * Adds to the steps what the run has cost and will cost: {@code cost/session_hours}, {@code cost/session_hours_left},
 * {@code cost/usd}, {@code cost/usd_at_end}, {@code cost/units} and {@code cost/units_at_end}, as far as they are known. The
 * hours that are paid are those inside the loop, over all resumes. Used on the bus's thread.
 */
final class CostMeter implements UnaryOperator<RunEvent> {
  private static final double SECONDS_PER_HOUR = 3600;
  private static final double WARNING_HOURS = 0.5;

  private final CostConfig config;
  private final Session session;
  private final Consumer<String> warning;
  private final LongSupplier nanoTime;
  private boolean warned;

  /**
   * @param config null knows no price
   * @param warning told once when the session is about to end
   */
  CostMeter(CostConfig config, Session session, Consumer<String> warning, LongSupplier nanoTime) {
    this.config = config == null ? CostConfig.NONE : config;
    this.session = session;
    this.warning = warning;
    this.nanoTime = nanoTime;
  }

  /**
   * Where the run must end.
   *
   * @param trainedSeconds of the loop before this start
   */
  List<TimeLimit> limits(double trainedSeconds) {
    List<TimeLimit> limits = new ArrayList<>();
    if (config.maxUsd() != null) {
      limits.add(new TimeLimit(
          String.format(Locale.ROOT, "%s USD", plain(config.maxUsd())), config.maxUsd() / usdPerHour() * SECONDS_PER_HOUR));
    }
    if (config.stopAfterHours() != null) {
      double left = (config.stopAfterHours() - session.hours(nanoTime.getAsLong())) * SECONDS_PER_HOUR;
      limits.add(new TimeLimit(plain(config.stopAfterHours()) + " hours of this session", trainedSeconds + left));
    }
    return limits;
  }

  @Override
  public RunEvent apply(RunEvent event) {
    if (!(event instanceof StepCompleted completed)) {
      return event;
    }
    Map<String, Double> scalars = new LinkedHashMap<>(completed.scalars());
    double hours = session.hours(nanoTime.getAsLong());
    scalars.put("cost/session_hours", hours);
    if (!Double.isNaN(session.limitHours())) {
      double left = session.limitHours() - hours;
      scalars.put("cost/session_hours_left", Math.max(0, left));
      if (left < WARNING_HOURS && !warned) {
        warned = true;
        warning.accept(String.format(Locale.ROOT, "This session is %.1f of %s hours old: the machine may go away soon. The"
            + " run goes on from its last checkpoint on another one.", hours, plain(session.limitHours())));
      }
    }
    put(scalars, "usd", usdPerHour(), completed.progress());
    put(scalars, "units", config.unitsPerHour() == null ? Double.NaN : config.unitsPerHour(), completed.progress());
    return new StepCompleted(completed.step(), completed.epoch(), scalars, completed.progress());
  }

  private static void put(Map<String, Double> scalars, String currency, double perHour, Progress progress) {
    if (Double.isNaN(perHour)) {
      return;
    }
    scalars.put("cost/" + currency, perHour * progress.trainedSeconds() / SECONDS_PER_HOUR);
    if (Double.isFinite(progress.secondsToGo())) {
      scalars.put("cost/" + currency + "_at_end",
          perHour * (progress.trainedSeconds() + progress.secondsToGo()) / SECONDS_PER_HOUR);
    }
  }

  private double usdPerHour() {
    if (config.usdPerHour() != null) {
      return config.usdPerHour();
    }
    double perUnit = config.usdPerUnit() == null ? Session.COLAB_USD_PER_UNIT : config.usdPerUnit();
    return config.unitsPerHour() == null ? Double.NaN : config.unitsPerHour() * perUnit;
  }

  private static String plain(double value) {
    return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
  }
}
