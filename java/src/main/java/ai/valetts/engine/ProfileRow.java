package ai.valetts.engine;

/**
 * What one part of the model took in one direction, summed over the steps of a profile.
 *
 * @param module e.g. {@code text encoder}, {@code losses}, {@code optimizers}
 * @param backward whether this is its backward pass
 * @param seconds on CUDA the stream's, its idle times included
 * @param calls forward: times entered; backward: autograd nodes
 * @param operators that compute: neither views nor allocations nor those made of others
 * @param bytes estimated traffic: what the operators read and write, each once
 */
public record ProfileRow(String module, boolean backward, double seconds, long calls, long operators, long bytes) {}
