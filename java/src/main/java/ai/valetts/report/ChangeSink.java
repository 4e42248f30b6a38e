package ai.valetts.report;

/** The way to a running loop, which takes requests between two steps and writes down at which. */
public interface ChangeSink {

  /**
   * Asks for another value of a key.
   *
   * @param key one of {@link ai.valetts.config.ReportConfig#CHANGEABLE_KEYS}
   */
  void requestChange(String key, double value, String reason);
}
