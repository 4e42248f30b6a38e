package ai.valetts.app;

import ai.valetts.data.DataReport;
import ai.valetts.data.DataReportPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files in which a report on data is kept: one for a program, one for a browser. */
final class DataReportFiles {
  static final String JSON = "data-report.json";
  static final String PAGE = "data-report.html";

  private DataReportFiles() {}

  static void write(DataReport report, Path folder, String name) throws IOException {
    Files.writeString(folder.resolve(JSON), report.toJson() + "\n");
    Files.writeString(folder.resolve(PAGE), DataReportPage.of(report, name));
  }
}
