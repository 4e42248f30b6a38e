package ai.valetts.engine;

/**
 * Parameter counts and memory.
 *
 * @param generatorParameters sum of the six parts, the reference's dead parameters included
 * @param deadParameters parameters that the reference saves but never uses
 * @param processResidentBytes of this process, now
 * @param deviceAllocatedBytes 0 on the CPU, as are the next three
 * @param devicePeakBytes most that was reserved at once since the last description
 * @param deviceFreeBytes of the whole device, other processes counted
 * @param recordedKernels that a step of the shape recorded last runs on the device; 0 where none is recorded
 */
public record ModelDescription(
    long textEncoderParameters,
    long posteriorEncoderParameters,
    long flowParameters,
    long decoderParameters,
    long durationPredictorParameters,
    long speakerEmbeddingParameters,
    long generatorParameters,
    long deadParameters,
    long discriminatorParameters,
    long durationDiscriminatorParameters,
    long processResidentBytes,
    long processPeakBytes,
    long deviceAllocatedBytes,
    long devicePeakBytes,
    long deviceFreeBytes,
    long deviceTotalBytes,
    long recordedKernels,
    String device) {}
