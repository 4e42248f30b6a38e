package ai.valetts.app;

import ai.valetts.config.ValettsConfig;
import ai.valetts.data.DataReport;
import ai.valetts.data.DatasetPreparation;
import ai.valetts.data.PreparedData;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;

/** Reads, checks and caches recordings, and tells what was found. */
final class Preparation {
  private final Path cacheFolder;
  private final Consumer<String> notice;

  Preparation(Path cacheFolder, Consumer<String> notice) {
    this.cacheFolder = cacheFolder;
    this.notice = notice;
  }

  PrepareResult run(ValettsConfig config) {
    Path prepared = cacheFolder.resolve("prepared");
    try (TextFrontEnd frontEnd =
            TextFrontEnds.open(config.text(), () -> DatasetPreparation.texts(config.data()), notice);
        PreparedData data =
            DatasetPreparation.prepare(
                // A run would refuse at the first culprits; here all are to be seen.
                config.data().withMaxBad(1), config.text(), config.audio(), frontEnd, prepared, notice)) {
      DataReport report = data.report();
      Path file = prepared.resolve(config.name() + "-data-report.json");
      report.write(file);
      return new PrepareResult(
          describe(report),
          file,
          report.usable(),
          report.bad().size(),
          report.leftOut().size(),
          refusal(report, config.data().maxBad()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String refusal(DataReport report, double maxBad) {
    int bad = report.bad().size();
    return bad <= maxBad * report.rows()
        ? null
        : "a run would not start: "
            + bad
            + " of "
            + report.rows()
            + " rows cannot be used, more than data.maxBad = "
            + maxBad
            + " allows (--max-bad raises it)";
  }

  static String describe(DataReport report) {
    StringBuilder text = new StringBuilder();
    text.append(String.format(Locale.ROOT, "%d rows: %d to train on, %d held out, %.2f hours, text read by %s%n",
        report.rows(), report.training(), report.validation(), report.hours(), report.textFrontEnd()));
    for (DataReport.Speaker speaker : report.speakers()) {
      text.append(String.format(Locale.ROOT, "  speaker %s: %d clips, %.1f minutes%n",
          speaker.name(), speaker.clips(), speaker.minutes()));
    }
    report.conversions().forEach(conversion -> text.append("  ").append(conversion).append('\n'));
    if (!report.bad().isEmpty()) {
      text.append(report.bad().size()).append(" rows cannot be used:\n");
      report.bad().forEach(row -> text.append("  ").append(row).append('\n'));
    }
    if (!report.leftOut().isEmpty()) {
      text.append(report.leftOut().size()).append(" rows are left out for their length:\n");
      report.leftOut().forEach(row -> text.append("  ").append(row).append('\n'));
    }
    return text.toString();
  }
}
