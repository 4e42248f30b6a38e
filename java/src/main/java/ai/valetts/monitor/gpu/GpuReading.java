package ai.valetts.monitor.gpu;

/**
 * One GPU at one moment; what the driver does not tell is NaN.
 *
 * @param index the driver's number for it, from 0
 * @param utilizationPercent share of the last sampling period in which a kernel ran, 0 to 100
 * @param usedGib memory in use by all processes, GiB
 * @param totalGib memory it has, GiB
 * @param powerWatts drawn
 * @param temperatureCelsius of the chip
 */
public record GpuReading(
    int index,
    double utilizationPercent,
    double usedGib,
    double totalGib,
    double powerWatts,
    double temperatureCelsius) {}
