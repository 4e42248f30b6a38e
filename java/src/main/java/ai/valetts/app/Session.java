package ai.valetts.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;

/**
 * How long this machine has been there, and how long it will be.
 *
 * @param hoursAtStart age of the session when it was looked at
 * @param limitHours after which it goes away; NaN if nobody knows
 * @param nanosAtStart {@code System.nanoTime} of the look
 */
record Session(double hoursAtStart, double limitHours, long nanosAtStart) {
  /** Colab without a subscription ends a session after 12 hours at the latest; paid ones may last up to 24. */
  static final double COLAB_HOURS = 12;

  /** 100 compute units cost 9.99 USD. */
  static final double COLAB_USD_PER_UNIT = 0.0999;

  /** When the session began, in seconds since 1970; a supervisor tells it to the process that it starts again. */
  static final String START = "VALETTS_SESSION_START";

  private static final Path UPTIME = Path.of("/proc/uptime");
  private static final double SECONDS_PER_HOUR = 3600;

  /**
   * @param limitHours from the configuration, or null
   */
  static Session now(Double limitHours, Map<String, String> environment) {
    boolean colab = environment.containsKey("COLAB_RELEASE_TAG") || environment.containsKey("COLAB_GPU");
    double limit = limitHours != null ? limitHours : colab ? COLAB_HOURS : Double.NaN;
    double hours = hoursSince(environment.get(START));
    return new Session(
        !Double.isNaN(hours) ? hours : colab ? machineHours() : processHours(), limit, System.nanoTime());
  }

  double hours(long nanos) {
    return hoursAtStart + (nanos - nanosAtStart) / 1e9 / SECONDS_PER_HOUR;
  }

  /** NaN for what is no moment in the past. */
  private static double hoursSince(String seconds) {
    if (seconds == null || !seconds.matches("[0-9]{1,11}")) {
      return Double.NaN;
    }
    double hours = (System.currentTimeMillis() / 1000.0 - Long.parseLong(seconds)) / SECONDS_PER_HOUR;
    return hours >= 0 ? hours : Double.NaN;
  }

  /** On Colab the machine is the session. */
  private static double machineHours() {
    try {
      return Double.parseDouble(Files.readString(UPTIME).split(" ")[0]) / SECONDS_PER_HOUR;
    } catch (IOException | NumberFormatException e) {
      return processHours();
    }
  }

  private static double processHours() {
    Instant now = Instant.now();
    Instant start = ProcessHandle.current().info().startInstant().orElse(now);
    return Math.max(0, (now.toEpochMilli() - start.toEpochMilli()) / 1000.0 / SECONDS_PER_HOUR);
  }
}
