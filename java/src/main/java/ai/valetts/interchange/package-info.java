/**
 * Checkpoints of other programs: reads PyTorch and safetensors files without running anything they hold, tells whose
 * networks they are from keys and shapes, and writes weights under the public reference's names.
 */
package ai.valetts.interchange;
