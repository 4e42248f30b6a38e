package ai.valetts.checkpoint;

/**
 * What a run was started with and a resumed one is compared to.
 *
 * @param seed of the run
 * @param threads CPU threads in use; another number rounds differently
 * @param device where the core computes
 * @param configHash SHA-256 of the resolved configuration, in hex
 */
public record RunIdentity(long seed, int threads, String device, String configHash) {}
