package ai.valetts.report;

/**
 * One measurement of a run, in a size that does not depend on the run's length.
 *
 * @param whole over the whole run, from means of equal numbers of values
 * @param recent over the newest values one by one
 * @param now mean of the newest ten values; of validations the last one
 * @param best least mean over five neighbours in {@code whole}; of validations the least value
 * @param bestStep where that was
 * @param lateChange how much the run's last quarter differs from the quarter before it, as a share; 0 with few values
 */
public record Measure(Trend whole, Trend recent, double now, double best, long bestStep, double lateChange) {}
