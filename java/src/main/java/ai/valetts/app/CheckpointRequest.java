package ai.valetts.app;

import java.nio.file.Path;

/**
 * Ask a run that goes on for a checkpoint.
 *
 * @param runDirectory folder of the run
 * @param waitSeconds how long to wait for it
 */
public record CheckpointRequest(Path runDirectory, double waitSeconds) {}
