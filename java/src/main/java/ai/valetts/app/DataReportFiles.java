package ai.valetts.app;

import ai.valetts.data.DataReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files in which a report on data is kept. */
final class DataReportFiles {
  static final String JSON = "data-report.json";

  private DataReportFiles() {}

  static void write(DataReport report, Path folder, String name) throws IOException {
    Files.writeString(folder.resolve(JSON), report.toJson() + "\n");
  }
}
