package ai.valetts.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What preparation found.
 *
 * @param rows rows in all metadata files
 * @param training clips to train on
 * @param validation clips held out
 * @param hours of usable recordings
 * @param textFrontEnd program that read the texts, e.g. {@code espeak-ng 1.51}
 * @param speakers one entry per speaker, sorted by name
 * @param bad rows at fault; these count towards {@code data.maxBad}
 * @param leftOut sound rows outside the configured lengths; these do not count
 * @param conversions what was resampled or mixed down, e.g. "12 clips converted from 48000 Hz stereo"
 */
public record DataReport(
    int rows,
    int training,
    int validation,
    double hours,
    String textFrontEnd,
    List<Speaker> speakers,
    List<Row> bad,
    List<Row> leftOut,
    List<String> conversions) {

  /** One speaker's share. */
  public record Speaker(String name, int clips, double minutes) {}

  /**
   * A row that is not used.
   *
   * @param metadataFile file it stands in
   * @param line its line there, from 1
   * @param clip its first column
   * @param reason why it is not used
   */
  public record Row(String metadataFile, int line, String clip, String reason) {
    @Override
    public String toString() {
      return metadataFile + ":" + line + ": " + clip + ": " + reason;
    }
  }

  /** Clips that can be used. */
  public int usable() {
    return training + validation;
  }

  /** Writes the report as JSON. */
  public void write(Path file) throws IOException {
    Files.writeString(file, new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(this));
  }
}
