package ai.valetts.evaluation;

import java.util.List;

/**
 * What a speaker's recordings are like, to hold synthesized speech against.
 *
 * @param clips recordings measured
 * @param secondsPerPhoneme seconds of all over phonemes of all
 * @param flatnessLow 5th percentile of {@link SpeechStatistics#voicedFlatness}
 * @param flatnessHigh 95th percentile of the same
 * @param energyDeviationDb median of {@link SpeechStatistics#energyDeviationDb}
 */
public record RecordingProfile(
    int clips, double secondsPerPhoneme, double flatnessLow, double flatnessHigh, double energyDeviationDb) {

  /** Profile of at least one recording. */
  public static RecordingProfile of(List<SpeechStatistics> recordings) {
    double seconds = recordings.stream().mapToDouble(SpeechStatistics::seconds).sum();
    long phonemes = recordings.stream().mapToLong(SpeechStatistics::phonemes).sum();
    double[] flatness =
        recordings.stream().mapToDouble(SpeechStatistics::voicedFlatness).filter(Double::isFinite).sorted().toArray();
    double[] deviation = recordings.stream().mapToDouble(SpeechStatistics::energyDeviationDb).sorted().toArray();
    return new RecordingProfile(
        recordings.size(),
        seconds / Math.max(1, phonemes),
        percentile(flatness, 0.05),
        percentile(flatness, 0.95),
        percentile(deviation, 0.5));
  }

  /** Linear interpolation between the two nearest of the sorted values; NaN for none. */
  static double percentile(double[] sorted, double fraction) {
    if (sorted.length == 0) {
      return Double.NaN;
    }
    double place = fraction * (sorted.length - 1);
    int below = (int) Math.floor(place);
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
