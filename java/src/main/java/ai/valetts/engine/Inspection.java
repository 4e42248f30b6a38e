package ai.valetts.engine;

/**
 * The model's inside on one utterance.
 *
 * @param recordingMel log-mel of the recording
 * @param decodedMel log-mel of the posterior reconstruction
 * @param tokens text tokens
 * @param alignment {@code alignment[token * frames + frame]}, 1 where the token covers the frame
 * @param decodedSamples posterior reconstruction in -1..1
 */
public record Inspection(
    Spectrogram recordingMel, Spectrogram decodedMel, int tokens, byte[] alignment, float[] decodedSamples) {}
