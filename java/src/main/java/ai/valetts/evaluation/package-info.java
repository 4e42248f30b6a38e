/**
 * Measures that tell speech from noise and learning from luck: what a model must beat, and what recordings are like.
 */
package ai.valetts.evaluation;
