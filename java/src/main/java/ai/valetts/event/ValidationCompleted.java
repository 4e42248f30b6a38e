package ai.valetts.event;

import java.util.List;
import java.util.Map;

/**
 * The held-out clips were measured.
 *
 * @param step steps completed
 * @param scalars measurements by TensorBoard tag
 * @param audio recordings, reconstructions and synthesized sentences
 * @param images spectrograms and alignments
 * @param seconds wall time it took
 */
public record ValidationCompleted(
    long step, Map<String, Double> scalars, List<AudioSample> audio, List<HeatMap> images, double seconds)
    implements RunEvent {}
