package ai.valetts.training;

import ai.valetts.checkpoint.TrainState;
import java.nio.file.Path;

/**
 * How the loop ended.
 *
 * @param state where the run stands
 * @param reason in words
 * @param interrupted whether it was asked to stop before its limit
 * @param checkpoint the newest checkpoint; it holds {@code state}
 */
public record RunOutcome(TrainState state, String reason, boolean interrupted, Path checkpoint) {}
