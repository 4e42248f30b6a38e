package ai.valetts.report;

/** A model's report could not be had; the rules' report says why. Its message holds no secret. */
public final class ReportUnavailableException extends Exception {
  private static final long serialVersionUID = 1;

  /** What was missing. */
  public enum Reason {
    /** Asked to stay offline. */
    OFFLINE("why.offline"),
    /** The configuration asks no model. */
    OFF("why.off"),
    NO_KEY("why.no-key"),
    NO_BUDGET("why.no-budget"),
    FAILED("why.failed");

    private final String sentence;

    Reason(String sentence) {
      this.sentence = sentence;
    }

    String sentence() {
      return sentence;
    }
  }

  private final Reason reason;

  /**
   * @param detail in words, without a full stop
   */
  public ReportUnavailableException(Reason reason, String detail) {
    super(detail);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
