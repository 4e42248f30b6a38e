package ai.valetts.report.llm;

import java.util.Set;

/**
 * A model as OpenRouter lists it.
 *
 * @param createdSeconds when it was listed, in seconds since 1970
 * @param contextTokens most tokens of prompt and answer
 * @param maxAnswerTokens most tokens of an answer; 0 where none is named
 * @param promptUsd price of a token of the prompt
 * @param answerUsd price of a token of the answer
 * @param requestUsd price of a call as such
 * @param parameters names of the request's fields it understands
 */
record ModelOffer(
    String id,
    long createdSeconds,
    long contextTokens,
    int maxAnswerTokens,
    double promptUsd,
    double answerUsd,
    double requestUsd,
    Set<String> parameters) {

  /** Most that a call can cost. */
  double priceOf(long promptTokens, long answerTokens) {
    return promptTokens * promptUsd + answerTokens * answerUsd + requestUsd;
  }

  boolean followsSchema() {
    return parameters.contains("structured_outputs");
  }

  boolean answersJson() {
    return parameters.contains("response_format");
  }
}
