package ai.valetts.event;

/**
 * A fact about a run, published by the training loop and read by monitors on the bus's thread. Immutable: whoever makes
 * one gives its arrays away.
 */
public sealed interface RunEvent
    permits RunStarted, StepCompleted, ValidationCompleted, CheckpointSaved, Notice, RunEnded {}
