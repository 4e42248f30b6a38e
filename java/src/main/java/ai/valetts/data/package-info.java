/**
 * From folders of recordings and texts to batches: reading metadata, checking every row, decoding once into a cache,
 * splitting off validation clips, and assembling batches ahead of the training step. Also fetches the demo recordings.
 */
package ai.valetts.data;
