/**
 * Checkpoints on the local disk: one directory each, published atomically, verified before use. A checkpoint exists if
 * and only if its manifest verifies.
 */
package ai.valetts.checkpoint;
