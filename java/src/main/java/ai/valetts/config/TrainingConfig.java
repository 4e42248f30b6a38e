package ai.valetts.config;

/**
 * How long and on what the loop runs. It stops at whichever limit comes first.
 *
 * @param seed keys initial weights, batch order and every random draw
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param threads CPU threads of the core; 0 takes the machine's. Recorded in checkpoints, since it changes rounding
 * @param segmentSamples samples the decoder learns from in each utterance; a multiple of {@code audio.hopLength}
 * @param maxSteps null for no limit
 * @param maxEpochs null for no limit
 * @param maxMinutes null for no limit; counts training time over all resumes
 */
public record TrainingConfig(
    long seed, String device, int threads, int segmentSamples, Long maxSteps, Integer maxEpochs, Double maxMinutes) {}
