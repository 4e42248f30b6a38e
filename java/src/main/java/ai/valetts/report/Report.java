package ai.valetts.report;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * What a run's measurements mean, in words. The file format is {@code report-schema.json}; its author is either
 * {@link #RULES} or a model.
 *
 * @param step steps completed
 * @param createdAt ISO-8601 in UTC
 * @param language {@code pt}, {@code en} or {@code es}
 * @param source {@link #RULES} or a model's id
 * @param state a short verdict
 * @param summary a few sentences
 * @param losses each loss, what it says now and what it is
 * @param problems worst first
 * @param suggestions what could be changed; nothing is changed by a report
 */
public record Report(
    long step,
    String createdAt,
    String language,
    String source,
    String state,
    String summary,
    List<Loss> losses,
    List<Problem> problems,
    List<Suggestion> suggestions) {

  /** The source of a report without a model. */
  public static final String RULES = "rules";

  public Report {
    losses = List.copyOf(losses);
    problems = List.copyOf(problems);
    suggestions = List.copyOf(suggestions);
  }

  /**
   * One loss.
   *
   * @param name TensorBoard tag
   * @param now what its course says about this run
   * @param forBeginners what it measures
   */
  public record Loss(String name, String now, String forBeginners) {}

  /**
   * Something wrong.
   *
   * @param id of the rule, or free where a model wrote it
   * @param evidence the numbers that say so
   */
  public record Problem(String id, Severity severity, String title, String evidence) {}

  /** How much a problem matters. */
  public enum Severity {
    @JsonProperty("info")
    INFO,
    @JsonProperty("warning")
    WARNING,
    @JsonProperty("critical")
    CRITICAL
  }

  /**
   * A change worth trying.
   *
   * @param key of the configuration
   * @param current its value, null if it has none
   * @param low least value worth trying
   * @param high greatest value worth trying
   * @param confidence 0 to 1
   */
  public record Suggestion(
      String key, Double current, double low, double high, double confidence, String reason) {}

  /** The same report with one more sentence in its summary. */
  public Report withRemark(String sentence) {
    return new Report(
        step, createdAt, language, source, state, summary + " " + sentence, losses, problems, suggestions);
  }
}
