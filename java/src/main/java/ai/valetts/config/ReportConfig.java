package ai.valetts.config;

import java.util.List;

/**
 * Reports in words about a run, and what may be done with their suggestions.
 *
 * @param language {@code pt}, {@code en} or {@code es}
 * @param llm the language model that may be asked; null asks none
 * @param apply whether suggestions inside {@code changes} are carried out, at most one for each validation
 * @param changes what may be changed at all, and how far
 */
public record ReportConfig(String language, @Nullable Llm llm, boolean apply, List<Change> changes) {
  /** The keys that can be changed while a run goes on. */
  public static final List<String> CHANGEABLE_KEYS =
      List.of("optimizer.learningRate", "optimizer.melWeight", "optimizer.klWeight", "optimizer.gradientClip");

  /** What a configuration without the section means: reports by rules in Portuguese, a model on demand only. */
  public static final ReportConfig DEFAULT =
      new ReportConfig(
          "pt",
          new Llm(
              List.of("claude", "gpt", "llama"),
              "https://openrouter.ai/api/v1",
              null,
              null,
              null,
              false,
              1.0,
              0.1,
              6,
              400_000,
              4_000,
              180,
              60),
          false,
          List.of(
              new Change("optimizer.learningRate", 1e-6, 1e-3, 2),
              new Change("optimizer.melWeight", 10, 100, 1.5),
              new Change("optimizer.klWeight", 0.1, 5, 1.5),
              new Change("optimizer.gradientClip", 1, 10_000, 2)));

  /**
   * OpenRouter and what it may cost. A limit counts over all resumes of the run.
   *
   * @param ask ids or families (claude, gpt, llama), the first that answers is taken
   * @param baseUrl where OpenRouter's API is
   * @param keyFile file whose first line is the key, used when {@code OPENROUTER_API_KEY} is not set
   * @param everyEpochs epochs between reports by a model during the run; null asks for none
   * @param everyMinutes minutes between reports by a model during the run; null asks for none
   * @param atValidation whether a model is asked at each validation
   * @param maxUsd most that the run may spend
   * @param maxUsdPerCall most that one call may cost by the listed prices
   * @param maxCallsPerHour most calls within 60 minutes
   * @param maxTokens most tokens of the run, prompts and answers
   * @param maxAnswerTokens most tokens of one answer
   * @param timeoutSeconds for one call as a whole
   * @param idleSeconds without a byte of an answer
   */
  public record Llm(
      List<String> ask,
      String baseUrl,
      @Nullable String keyFile,
      Integer everyEpochs,
      Double everyMinutes,
      boolean atValidation,
      double maxUsd,
      double maxUsdPerCall,
      int maxCallsPerHour,
      long maxTokens,
      int maxAnswerTokens,
      double timeoutSeconds,
      double idleSeconds) {}

  /**
   * How far a key may be changed.
   *
   * @param key one of {@link #CHANGEABLE_KEYS}
   * @param least smallest value
   * @param most greatest value
   * @param maxFactor greatest factor, up or down, of one change
   */
  public record Change(String key, double least, double most, double maxFactor) {}
}
