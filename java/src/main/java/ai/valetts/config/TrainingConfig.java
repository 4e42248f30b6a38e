package ai.valetts.config;

/**
 * How long and on what the loop runs. It stops at whichever limit comes first.
 *
 * @param seed keys initial weights, batch order and every random draw
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param threads CPU threads of the core; 0 takes the machine's. Recorded in checkpoints, since it changes rounding
 * @param precision {@code fp32}, {@code tf32}, {@code bf16} or {@code fp16}; {@code auto} takes what suits the device when the
 *     run begins; null is {@code fp32}
 * @param referencePadding whether losses and alignment noise count padding as the public reference does; null is no
 * @param microBatch most utterances that go through the networks at once; a larger batch is split, with the same result.
 *     null takes a batch in one piece, and splits it when memory runs out
 * @param metricsEverySteps steps between two readings of the metrics, for which the loop waits for the device; null is 1
 * @param segmentSamples samples the decoder learns from in each utterance; a multiple of {@code audio.hopLength}
 * @param maxSteps null for no limit
 * @param maxEpochs null for no limit
 * @param maxMinutes null for no limit; counts training time over all resumes
 * @param profile one of {@link GpuProfile#NAMES}, or {@code auto} for that of the device; null for none
 */
public record TrainingConfig(
    long seed,
    String device,
    int threads,
    @Nullable String precision,
    @Nullable Boolean referencePadding,
    @Nullable Integer microBatch,
    @Nullable Integer metricsEverySteps,
    int segmentSamples,
    Long maxSteps,
    Integer maxEpochs,
    Double maxMinutes,
    @Nullable String profile) {

  /** Without a profile, and with the metrics read at every step. */
  public TrainingConfig(
      long seed,
      String device,
      int threads,
      String precision,
      Boolean referencePadding,
      Integer microBatch,
      int segmentSamples,
      Long maxSteps,
      Integer maxEpochs,
      Double maxMinutes) {
    this(
        seed, device, threads, precision, referencePadding, microBatch, null, segmentSamples, maxSteps, maxEpochs,
        maxMinutes, null);
  }
}
