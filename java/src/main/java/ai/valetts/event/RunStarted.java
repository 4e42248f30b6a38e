package ai.valetts.event;

/**
 * A run begins or goes on.
 *
 * @param run the run's name
 * @param step steps completed before now; 0 for a new run
 * @param resumed whether it goes on from a checkpoint
 * @param device where the core computes
 * @param configText the resolved configuration as YAML
 */
public record RunStarted(String run, long step, boolean resumed, String device, String configText)
    implements RunEvent {}
