/**
 * Copies of a run's checkpoints outside this machine. A generation is one checkpoint with the run's small files, under
 * names that are never used again; it exists if and only if its manifest, written last, verifies. Stores lie: what counts
 * is what was read back.
 */
package ai.valetts.storage;
