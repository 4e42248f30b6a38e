package ai.valetts.app;

import java.nio.file.Path;

/**
 * A checkpoint that was asked for and verifies.
 *
 * @param directory where it lies
 * @param step steps completed
 * @param bytes its size
 */
public record CheckpointResult(Path directory, long step, long bytes) {}
