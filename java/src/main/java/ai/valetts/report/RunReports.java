package ai.valetts.report;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Makes the reports of one run from its files: by a model if one is asked and answers, else by rules with the reason.
 * Safe to use beside the process that trains.
 */
public final class RunReports implements Reporter.Work {
  private final Files files;
  private final String language;
  private final ReportSource source;
  private final Clock clock;
  private final Consumer<String> notice;
  private final Consumer<Report> listener;

  /**
   * Where things are.
   *
   * @param changes the journal of changed settings
   * @param reports folder that is written to
   */
  public record Files(Path metrics, Path config, Path changes, Path reports) {}

  /**
   * A report and where it is.
   *
   * @param file its JSON
   */
  public record Made(Report report, Path file) {}

  /**
   * @param notice told what a person should know
   * @param listener given each report that was made during the run
   */
  public RunReports(
      Files files,
      String language,
      ReportSource source,
      Clock clock,
      Consumer<String> notice,
      Consumer<Report> listener) {
    this.files = files;
    this.language = language;
    this.source = source;
    this.clock = clock;
    this.notice = notice;
    this.listener = listener;
  }

  @Override
  public void prepare() {
    try {
      source.prepare();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      notice.accept("Models for reports could not be looked up: " + e.getMessage());
    }
  }

  @Override
  public void report(boolean askModel) {
    try {
      listener.accept(make(askModel).report());
    } catch (IOException | RuntimeException e) {
      notice.accept("No report was made, the run goes on: " + e.getMessage());
    }
  }

  /**
   * Makes a report and writes it.
   *
   * @throws IOException if the run's record cannot be read or the report not be written
   */
  public Made make(boolean askModel) throws IOException {
    RunSummary run = SummaryReader.summarize(files.metrics(), files.config(), files.changes());
    String createdAt = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
    ReportTexts texts = new ReportTexts(language);
    Report report = null;
    boolean interrupted = false;
    if (askModel) {
      try {
        report = source.report(run, language, createdAt);
      } catch (ReportUnavailableException e) {
        report = RuleBasedReport.of(run, texts, createdAt)
            .withRemark(texts.get(e.reason().sentence(), Map.of("detail", e.getMessage())));
      } catch (InterruptedException e) {
        interrupted = true;
        report = RuleBasedReport.of(run, texts, createdAt)
            .withRemark(texts.get("why.interrupted"));
      }
    }
    if (report == null) {
      report = RuleBasedReport.of(run, texts, createdAt);
    }
    Path file = new ReportFiles(files.reports(), new ReportSchema()).write(report);
    if (interrupted) {
      // Not before: an interrupted thread cannot write.
      Thread.currentThread().interrupt();
    }
    return new Made(report, file);
  }
}
