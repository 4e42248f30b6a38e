package ai.valetts.data;

/** Told how a preparation goes. Called by the preparing thread. */
public interface PreparationProgress {

  /** Something a person should read. */
  void notice(String text);

  /** Rows that cannot be used, the first of them in full. For whoever does not list all of them afterwards. */
  default void rows(String text) {
    notice(text);
  }

  /**
   * One more is done.
   *
   * @param what is being done, e.g. {@code /data/ana: recordings}
   * @param done from 1 to {@code total}
   */
  void step(String what, long done, long total);
}
