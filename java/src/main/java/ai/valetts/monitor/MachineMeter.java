package ai.valetts.monitor;

import ai.valetts.event.RunEvent;
import ai.valetts.event.StepCompleted;
import ai.valetts.monitor.gpu.GpuReading;
import ai.valetts.monitor.gpu.NvidiaGpus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Adds to the steps that are written down how the machine is doing: {@code machine/memory_gib} of this process,
 * {@code machine/cpu_cores} it kept busy since the last reading, and for each GPU {@code gpu/0/utilization_percent},
 * {@code gpu/0/memory_gib}, {@code gpu/0/power_w} and {@code gpu/0/temperature_c}. At most one reading a second. Used on
 * the bus's thread, which also loads NVML.
 */
public final class MachineMeter implements UnaryOperator<RunEvent>, AutoCloseable {
  private static final long GAP_NANOS = Duration.ofSeconds(1).toNanos();
  private static final double KIB_IN_GIB = 1 << 20;
  private static final Path STATUS = Path.of("/proc/self/status");

  private final int everySteps;
  private Optional<NvidiaGpus> gpus;
  private long readNanos;
  private double cpuSeconds;

  /**
   * @param everySteps steps between readings
   */
  public MachineMeter(int everySteps) {
    this.everySteps = everySteps;
  }

  @Override
  public RunEvent apply(RunEvent event) {
    if (!(event instanceof StepCompleted completed) || completed.step() % everySteps != 0) {
      return event;
    }
    long now = System.nanoTime();
    boolean first = gpus == null;
    if (!first && now - readNanos < GAP_NANOS) {
      return event;
    }
    Map<String, Double> scalars = new LinkedHashMap<>(completed.scalars());
    double cpuNow = cpuSeconds();
    if (first) {
      gpus = NvidiaGpus.open(absence -> { });
    } else {
      put(scalars, "machine/cpu_cores", (cpuNow - cpuSeconds) / ((now - readNanos) / 1e9));
    }
    readNanos = now;
    cpuSeconds = cpuNow;
    put(scalars, "machine/memory_gib", memoryGib());
    gpus.ifPresent(some -> some.read().forEach(reading -> put(scalars, reading)));
    return new StepCompleted(completed.step(), completed.epoch(), scalars, completed.progress());
  }

  private static void put(Map<String, Double> scalars, GpuReading reading) {
    String gpu = "gpu/" + reading.index() + "/";
    put(scalars, gpu + "utilization_percent", reading.utilizationPercent());
    put(scalars, gpu + "memory_gib", reading.usedGib());
    put(scalars, gpu + "power_w", reading.powerWatts());
    put(scalars, gpu + "temperature_c", reading.temperatureCelsius());
  }

  private static void put(Map<String, Double> scalars, String tag, double value) {
    if (Double.isFinite(value)) {
      scalars.put(tag, value);
    }
  }

  private static double cpuSeconds() {
    return ProcessHandle.current().info().totalCpuDuration().map(Duration::toNanos).orElse(0L) / 1e9;
  }

  /** Resident memory of this process; NaN where the system does not tell. */
  private static double memoryGib() {
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) / KIB_IN_GIB;
        }
      }
      return Double.NaN;
    } catch (IOException | NumberFormatException e) {
      return Double.NaN;
    }
  }

  @Override
  public void close() {
    if (gpus != null) {
      gpus.ifPresent(NvidiaGpus::close);
    }
  }
}
