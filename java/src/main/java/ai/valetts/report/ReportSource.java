package ai.valetts.report;

/** A model that can write a report. Called by one thread at a time. */
public interface ReportSource {

  /** A run begins: whatever can be found out before the first report, with complaints to whoever listens. */
  void prepare() throws InterruptedException;

  /**
   * Writes a report that follows {@link ReportSchema}.
   *
   * @param language {@code pt}, {@code en} or {@code es}
   * @param createdAt ISO-8601 in UTC
   * @throws ReportUnavailableException if it cannot be had
   */
  Report report(RunSummary run, String language, String createdAt)
      throws ReportUnavailableException, InterruptedException;

  /** A source that has nothing, and says why. */
  static ReportSource none(ReportUnavailableException.Reason reason) {
    return new ReportSource() {
      @Override
      public void prepare() {}

      @Override
      public Report report(RunSummary run, String language, String createdAt) throws ReportUnavailableException {
        throw new ReportUnavailableException(reason, "");
      }
    };
  }
}
