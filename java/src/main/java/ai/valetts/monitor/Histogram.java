package ai.valetts.monitor;

/**
 * How values are spread: thirty steps of equal width from the least to the greatest. Values that are not finite are left
 * out.
 *
 * @param count values counted
 * @param upperEdges of the steps, ascending
 * @param counts for each step
 */
record Histogram(
    double least,
    double greatest,
    long count,
    double sum,
    double sumOfSquares,
    double[] upperEdges,
    double[] counts) {
  private static final int STEPS = 30;

  static Histogram of(double[] values) {
    double least = Double.POSITIVE_INFINITY;
    double greatest = Double.NEGATIVE_INFINITY;
    double sum = 0;
    double sumOfSquares = 0;
    long count = 0;
    for (double value : values) {
      if (Double.isFinite(value)) {
        least = Math.min(least, value);
        greatest = Math.max(greatest, value);
        sum += value;
        sumOfSquares += value * value;
        count++;
      }
    }
    if (count == 0) {
      return new Histogram(0, 0, 0, 0, 0, new double[] {0}, new double[] {0});
    }
    int steps = greatest > least ? STEPS : 1;
    double width = (greatest - least) / steps;
    double[] upperEdges = new double[steps];
    double[] counts = new double[steps];
    for (int i = 0; i < steps; i++) {
      upperEdges[i] = i == steps - 1 ? greatest : least + width * (i + 1);
    }
    for (double value : values) {
      if (Double.isFinite(value)) {
        counts[steps == 1 ? 0 : (int) Math.min(steps - 1, (value - least) / width)]++;
      }
    }
    return new Histogram(least, greatest, count, sum, sumOfSquares, upperEdges, counts);
  }

  static Histogram of(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      wide[i] = values[i];
    }
    return of(wide);
  }
}
