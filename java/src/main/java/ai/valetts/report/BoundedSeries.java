package ai.valetts.report;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;

/**
 * The newest values one by one and the whole run as means, in bounded memory: when there are too many means, each two
 * neighbours become one. The best of noisy values is the least mean; that of validations, which checkpoints are kept by, the
 * least value itself.
 */
final class BoundedSeries {
  private static final int MAX_RECENT = 100;
  private static final int MAX_MEANS = 128;
  private static final int MAX_NOW = 10;
  private static final int NEIGHBOURS = 5;

  private final Deque<Trend.Point> recent = new ArrayDeque<>();
  private List<Bucket> buckets = new ArrayList<>();
  private int valuesPerBucket = 1;
  private final boolean noisy;

  private BoundedSeries(boolean noisy) {
    this.noisy = noisy;
  }

  static BoundedSeries ofNoisyValues() {
    return new BoundedSeries(true);
  }

  static BoundedSeries ofValidations() {
    return new BoundedSeries(false);
  }

  private record Bucket(int count, double stepSum, double valueSum, Trend.Point least) {
    Bucket plus(Bucket other) {
      Trend.Point lower = other.least.value() < least.value() ? other.least : least;
      return new Bucket(count + other.count, stepSum + other.stepSum, valueSum + other.valueSum, lower);
    }

    Trend.Point mean() {
      return new Trend.Point(stepSum / count, valueSum / count);
    }
  }

  void add(long step, double value) {
    recent.addLast(new Trend.Point(step, value));
    if (recent.size() > MAX_RECENT) {
      recent.removeFirst();
    }
    Bucket one = new Bucket(1, step, value, new Trend.Point(step, value));
    int last = buckets.size() - 1;
    if (last >= 0 && buckets.get(last).count() < valuesPerBucket) {
      buckets.set(last, buckets.get(last).plus(one));
      return;
    }
    if (buckets.size() == MAX_MEANS) {
      List<Bucket> halved = new ArrayList<>();
      for (int i = 0; i < MAX_MEANS; i += 2) {
        halved.add(buckets.get(i).plus(buckets.get(i + 1)));
      }
      buckets = halved;
      valuesPerBucket *= 2;
    }
    buckets.add(one);
  }

  /** Forgets what a resume undid: everything after {@code step}. A mean that lies past it, or whose least value does, goes whole. */
  void cutAfter(long step) {
    recent.removeIf(point -> point.step() > step);
    buckets.removeIf(bucket -> bucket.mean().step() > step || bucket.least().step() > step);
  }

  boolean isEmpty() {
    return recent.isEmpty() || buckets.isEmpty();
  }

  /** The newest values, oldest first. */
  List<Trend.Point> recent() {
    return List.copyOf(recent);
  }

  Measure measure() {
    List<Trend.Point> means = buckets.stream().map(Bucket::mean).toList();
    Trend.Point best =
        (noisy ? smoothed(means).stream() : buckets.stream().map(Bucket::least))
            .min(Comparator.comparingDouble(Trend.Point::value))
            .orElseThrow();
    int quarter = means.size() / 4;
    double lateChange = 0;
    if (quarter > 0) {
      double before = mean(means.subList(means.size() - 2 * quarter, means.size() - quarter));
      double late = mean(means.subList(means.size() - quarter, means.size()));
      lateChange = before == 0 ? 0 : (late - before) / Math.abs(before);
    }
    double now = mean(newest(noisy ? MAX_NOW : 1));
    return new Measure(Trend.of(means), Trend.of(recent()), now, best.value(), Math.round(best.step()), lateChange);
  }

  private List<Trend.Point> newest(int count) {
    List<Trend.Point> values = recent();
    return values.subList(Math.max(0, values.size() - count), values.size());
  }

  /** Means of neighbours, so that one lucky value is no best; of fewer points than that, of them all. */
  private static List<Trend.Point> smoothed(List<Trend.Point> points) {
    int width = Math.min(NEIGHBOURS, points.size());
    List<Trend.Point> smooth = new ArrayList<>();
    for (int i = 0; i + width <= points.size(); i++) {
      smooth.add(new Trend.Point(points.get(i + width / 2).step(), mean(points.subList(i, i + width))));
    }
    return smooth;
  }

  private static double mean(List<Trend.Point> points) {
    return points.stream().mapToDouble(Trend.Point::value).average().orElseThrow();
  }
}
