package ai.valetts.report.llm;

/**
 * What a model answered.
 *
 * @param model the one that did, which is the one billed
 * @param text its answer
 * @param cutOff whether it ended at the limit of tokens
 * @param costUsd as reported; NaN where it was not
 * @param tokens of prompt and answer; 0 where not reported
 */
record Completion(String model, String text, boolean cutOff, double costUsd, long tokens) {}
