package ai.valetts.event;

import java.util.Map;

/**
 * One training step is done. The only event that may be dropped when listeners fall behind.
 *
 * @param step steps completed, this one included
 * @param epoch 0-based epoch the step's batch belonged to
 * @param scalars measurements by TensorBoard tag
 * @param progress speed and time to go
 */
public record StepCompleted(long step, int epoch, Map<String, Double> scalars, Progress progress)
    implements RunEvent {}
