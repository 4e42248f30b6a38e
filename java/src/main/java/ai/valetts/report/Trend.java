package ai.valetts.report;

import java.util.List;

/**
 * How a measurement went over some steps.
 *
 * @param points how many values it rests on; at least 1
 * @param fromStep step of the first value
 * @param toStep step of the last value
 * @param slopePerThousandSteps of the least-squares line; 0 with one value
 * @param volatility standard deviation around that line, as a share of the mean's size; 0 with one value
 */
public record Trend(
    int points,
    long fromStep,
    long toStep,
    double first,
    double last,
    double mean,
    double min,
    double max,
    double slopePerThousandSteps,
    double volatility) {

  /** A value at a step. */
  record Point(double step, double value) {}

  /** The trend of values in the order of their steps; all finite, at least one. */
  static Trend of(List<Point> points) {
    int count = points.size();
    double meanStep = points.stream().mapToDouble(Point::step).average().orElseThrow();
    double mean = points.stream().mapToDouble(Point::value).average().orElseThrow();
    double covariance = 0;
    double variance = 0;
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (Point point : points) {
      covariance += (point.step() - meanStep) * (point.value() - mean);
      variance += (point.step() - meanStep) * (point.step() - meanStep);
      min = Math.min(min, point.value());
      max = Math.max(max, point.value());
    }
    double slope = variance == 0 ? 0 : covariance / variance;
    double residue = 0;
    for (Point point : points) {
      double off = point.value() - mean - slope * (point.step() - meanStep);
      residue += off * off;
    }
    double deviation = Math.sqrt(residue / count);
    return new Trend(
        count,
        Math.round(points.get(0).step()),
        Math.round(points.get(count - 1).step()),
        points.get(0).value(),
        points.get(count - 1).value(),
        mean,
        min,
        max,
        slope * 1000,
        mean == 0 ? 0 : deviation / Math.abs(mean));
  }

  /** How far the line rises over the window, as a share of the mean's size. */
  double relativeRise() {
    return mean == 0 ? 0 : slopePerThousandSteps / 1000 * (toStep - fromStep) / Math.abs(mean);
  }
}
