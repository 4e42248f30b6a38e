package ai.valetts.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Reports in a run's {@code reports} folder: {@code report-00012000.json} and the same in Markdown. A file is there
 * whole or not at all; a report of the same step replaces the one before.
 */
public final class ReportFiles {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final ReportSchema schema;

  /**
   * @param folder created with the first report
   */
  public ReportFiles(Path folder, ReportSchema schema) {
    this.folder = folder;
    this.schema = schema;
  }

  /**
   * Writes a report.
   *
   * @return its JSON file
   * @throws IllegalArgumentException if the report does not follow the format
   */
  public Path write(Report report) throws IOException {
    String json = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(report) + "\n";
    List<String> problems = schema.problems(json);
    if (!problems.isEmpty()) {
      throw new IllegalArgumentException("The report does not follow its format: " + String.join("; ", problems));
    }
    Files.createDirectories(folder);
    String name = String.format(Locale.ROOT, "report-%08d", report.step());
    replace(folder.resolve(name + ".md"), markdown(report));
    Path file = folder.resolve(name + ".json");
    replace(file, json);
    return file;
  }

  /** The report of the highest step; empty when there is none that can be read. */
  public Optional<Report> newest() throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files =
          all.filter(file -> file.getFileName().toString().matches("report-\\d{8,}\\.json"))
              .sorted((a, b) -> b.getFileName().compareTo(a.getFileName()))
              .toList();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    for (Path file : files) {
      try {
        return Optional.of(JSON.readValue(Files.readString(file), Report.class));
      } catch (IOException e) {
        // A file that someone else damaged: the one before it is newer than nothing.
        continue;
      }
    }
    return Optional.empty();
  }

  /** Puts a whole file in place of another. */
  static void replace(Path file, String text) throws IOException {
    Path part =
        file.resolveSibling(file.getFileName() + "." + ProcessHandle.current().pid() + "-" + Thread.currentThread().getId() + ".tmp");
    Files.write(part, text.getBytes(StandardCharsets.UTF_8));
    try {
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** The report for reading. */
  public static String markdown(Report report) {
    ReportTexts texts = new ReportTexts(report.language());
    StringBuilder text = new StringBuilder();
    text.append("# ").append(texts.get("md.title")).append(": ").append(line(report.state())).append("\n\n");
    text.append(texts.get(
        "md.meta",
        Map.of("step", report.step(), "created", report.createdAt(), "source", report.source()))).append("\n\n");
    text.append(line(report.summary())).append("\n\n## ").append(texts.get("md.problems")).append("\n\n");
    if (report.problems().isEmpty()) {
      text.append(texts.get("md.none")).append("\n");
    }
    for (Report.Problem problem : report.problems()) {
      String severity = problem.severity().name().toLowerCase(Locale.ROOT);
      text.append("- **").append(line(problem.title())).append("** (").append(texts.get("severity." + severity))
          .append("). ").append(line(problem.evidence())).append("\n");
    }
    text.append("\n## ").append(texts.get("md.suggestions")).append("\n\n");
    if (report.suggestions().isEmpty()) {
      text.append(texts.get("md.none")).append("\n");
    }
    for (Report.Suggestion suggestion : report.suggestions()) {
      text.append("- ").append(texts.get("md.suggestion", Map.of(
          "key", suggestion.key(),
          "current", suggestion.current() == null ? texts.get("md.nothing") : texts.number(suggestion.current()),
          "low", suggestion.low(),
          "high", suggestion.high(),
          "confidence", texts.percent(suggestion.confidence()),
          "reason", line(suggestion.reason())))).append("\n");
    }
    text.append("\n## ").append(texts.get("md.losses")).append("\n");
    for (Report.Loss loss : report.losses()) {
      text.append("\n### ").append(line(loss.name())).append("\n\n");
      text.append(line(loss.now())).append("\n\n");
      text.append("*").append(texts.get("md.beginners")).append(":* ").append(line(loss.forBeginners())).append("\n");
    }
    return text.toString();
  }

  /** A model's text on one line: it must not make headings or lists of its own. */
  private static String line(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }
}
