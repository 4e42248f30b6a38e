package ai.valetts.engine;

import java.util.List;

/**
 * What the core was built with and can see.
 *
 * @param cpuCapability instruction set libtorch uses, e.g. {@code AVX2}
 * @param cudaBuilt whether this libtorch has CUDA at all
 * @param cudaDevices names of the usable GPUs, by index
 * @param threads CPU threads in use
 */
public record EngineSystem(
    String coreVersion,
    String libtorchVersion,
    String cpuCapability,
    boolean cudaBuilt,
    List<String> cudaDevices,
    int threads) {}
