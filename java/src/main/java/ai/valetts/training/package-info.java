/**
 * The training loop: when to step, validate, save and stop. It publishes facts and does not know who listens; what the
 * networks do in a step is the engine's.
 */
package ai.valetts.training;
