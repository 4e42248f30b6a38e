package ai.valetts.training;

/**
 * A sentence synthesized at each validation.
 *
 * @param index place in {@code validation.sentences}
 * @param tokenIds its symbols
 */
public record Sentence(int index, String text, String speaker, int speakerId, int[] tokenIds) {}
