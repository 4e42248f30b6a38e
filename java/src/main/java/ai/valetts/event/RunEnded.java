package ai.valetts.event;

/**
 * The run is over for now.
 *
 * @param step steps completed
 * @param reason in words
 * @param failed whether it ended by an error
 */
public record RunEnded(long step, String reason, boolean failed) implements RunEvent {}
