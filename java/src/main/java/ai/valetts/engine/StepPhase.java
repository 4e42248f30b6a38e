package ai.valetts.engine;

/** The two halves of a training step, in their order. Positions are the values of the header's {@code vt_phase}. */
public enum StepPhase {
  DISCRIMINATORS,
  GENERATOR
}
