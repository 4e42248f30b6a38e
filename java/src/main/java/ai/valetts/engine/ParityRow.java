package ai.valetts.engine;

/**
 * One recorded tensor against the core's.
 *
 * @param set the recorded set it belongs to
 * @param error as {@link Kind} says; infinite for another shape or a value that is not a number
 * @param limit what the error may be at most
 */
public record ParityRow(String set, String tensor, Kind kind, double error, double limit, boolean passed) {

  /** What the error measures. In the order of the header's {@code vt_parity_kind}. */
  public enum Kind {
    /** Largest error over the recorded tensor's largest value. */
    FORWARD,
    /** The same, of a gradient or its norm. */
    GRADIENT,
    /** Largest absolute error of a parameter after the optimizer's step. */
    PARAMETER,
    /** Share of elements or frames that differ. */
    EXACT,
    /** Largest absolute error. */
    ABSOLUTE,
    /** Recorded, but nothing in the core computes it. */
    NOT_COMPARED
  }
}
