package ai.valetts.event;

import java.nio.file.Path;

/**
 * A checkpoint is complete on disk.
 *
 * @param step steps completed
 * @param directory the published checkpoint
 * @param bytes its size
 */
public record CheckpointSaved(long step, Path directory, long bytes) implements RunEvent {}
