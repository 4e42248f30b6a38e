package ai.valetts.data;

import ai.valetts.data.corpus.Finding;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What preparation found.
 *
 * @param rows rows in all metadata files
 * @param training clips to train on
 * @param validation clips held out
 * @param hours of usable recordings
 * @param trimmedHours of silence cut off them
 * @param textFrontEnd program that read the texts, e.g. {@code espeak-ng 1.51}
 * @param refusal why a run would not start with this data; null if it would
 * @param sources one entry per source, in the configuration's order
 * @param speakers one entry per speaker, sorted by name
 * @param languages one entry per language, sorted
 * @param seconds how long the usable recordings are
 * @param symbols how long their texts are
 * @param batches how a first epoch would be cut into batches
 * @param bad rows at fault; these count towards {@code data.maxBad}
 * @param leftOut sound rows outside the configured lengths; these do not count
 * @param remarks what is to be known of rows that are used
 * @param conversions what was resampled or mixed down, e.g. "12 clips converted from 48000 Hz stereo"
 */
public record DataReport(
    int rows,
    int training,
    int validation,
    double hours,
    double trimmedHours,
    String textFrontEnd,
    String refusal,
    List<Source> sources,
    List<Speaker> speakers,
    List<Language> languages,
    Histogram seconds,
    Histogram symbols,
    Batches batches,
    List<Row> bad,
    List<Row> leftOut,
    List<Row> remarks,
    List<String> conversions) {

  /**
   * One source as it was read.
   *
   * @param folder where its files are
   * @param detection how the format shows
   */
  public record Source(String folder, String format, String detection, List<String> metadataFiles, int rows) {}

  /** One speaker's share. */
  public record Speaker(String name, String language, int clips, double minutes) {}

  /** One language's share. */
  public record Language(String name, int speakers, int clips, double hours) {}

  /**
   * Batches of training clips.
   *
   * @param perEpoch how many there are
   * @param paddedPerRealFrame frames that are computed for each frame of a recording; 1 is no padding at all
   * @param leastRepetitions how often an epoch has the clips of the speaker it has least of; 1 without balancing
   * @param mostRepetitions the same of the speaker it has most of
   */
  public record Batches(
      int perEpoch, double paddedPerRealFrame, double leastRepetitions, double mostRepetitions) {}

  /**
   * Counts in steps of equal width from 0.
   *
   * @param counts one for each step up to the last that is not empty
   */
  public record Histogram(double step, List<Integer> counts) {

    /** The histogram of some values that are not negative. */
    static Histogram of(double step, double[] values) {
      int last = 0;
      for (double value : values) {
        last = Math.max(last, (int) (value / step));
      }
      Integer[] counts = new Integer[values.length == 0 ? 0 : last + 1];
      java.util.Arrays.fill(counts, 0);
      for (double value : values) {
        counts[(int) (value / step)]++;
      }
      return new Histogram(step, List.of(counts));
    }
  }

  /**
   * Something about a row.
   *
   * @param kind {@link Finding.Kind#slug()}
   * @param metadataFile file it stands in
   * @param line its line there, from 1
   * @param clip its name
   * @param reason what is to be said
   */
  public record Row(String kind, String metadataFile, int line, String clip, String reason) {
    @Override
    public String toString() {
      return metadataFile + ":" + line + ": " + clip + ": " + reason;
    }
  }

  /** Clips that can be used. */
  public int usable() {
    return training + validation;
  }

  /** How many rows each kind of finding is about, in the order of the kinds. */
  public Map<Finding.Kind, Integer> counts() {
    Map<Finding.Kind, Integer> counts = new EnumMap<>(Finding.Kind.class);
    for (Finding.Kind kind : Finding.Kind.values()) {
      int count =
          (int) Stream.of(bad, leftOut, remarks).flatMap(List::stream).filter(row -> row.kind.equals(kind.slug())).count();
      if (count > 0) {
        counts.put(kind, count);
      }
    }
    return counts;
  }

  /** The report as JSON. */
  public String toJson() {
    try {
      return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a report is always expressible as JSON", e);
    }
  }
}
