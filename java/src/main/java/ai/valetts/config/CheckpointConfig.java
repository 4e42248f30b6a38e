package ai.valetts.config;

/**
 * When checkpoints are written and how many are kept.
 *
 * @param everySteps steps between checkpoints; null for none by step
 * @param everyMinutes minutes between checkpoints; null for none by time
 * @param keep newest checkpoints kept, at least 1
 */
public record CheckpointConfig(Integer everySteps, Double everyMinutes, int keep) {}
