package ai.valetts.evaluation;

import java.util.Locale;

/**
 * Whether a synthesized sentence is like speech in three simple respects. A low bar: all three hold long before a voice
 * can be understood, and none holds for noise, a hum or silence.
 *
 * @param durationRatio its seconds per phoneme over the recordings'; 0.5 to 2 is speech-like
 * @param energyRatio its energy deviation over the recordings'; 0.5 or more is speech-like
 */
public record SpeechLikeness(
    SpeechStatistics sentence,
    RecordingProfile recordings,
    double durationRatio,
    boolean durationFits,
    boolean flatnessFits,
    double energyRatio,
    boolean energyFits) {

  public static SpeechLikeness compare(SpeechStatistics sentence, RecordingProfile recordings) {
    double durationRatio = sentence.secondsPerPhoneme() / recordings.secondsPerPhoneme();
    double energyRatio = sentence.energyDeviationDb() / recordings.energyDeviationDb();
    return new SpeechLikeness(
        sentence,
        recordings,
        durationRatio,
        durationRatio >= 0.5 && durationRatio <= 2,
        sentence.voicedFlatness() >= recordings.flatnessLow()
            && sentence.voicedFlatness() <= recordings.flatnessHigh(),
        energyRatio,
        energyRatio >= 0.5);
  }

  /** Whether all three hold. */
  public boolean fits() {
    return durationFits && flatnessFits && energyFits;
  }

  /** The three findings in one line. */
  public String describe() {
    return String.format(
        Locale.ROOT,
        "%.3f s a phoneme, %.2f x the recordings' (0.5 to 2: %s); flatness of voiced frames %.4f"
            + " (recordings %.4f to %.4f: %s); energy deviation %.1f dB, %.2f x the recordings' (0.5 or more: %s)",
        sentence.secondsPerPhoneme(),
        durationRatio,
        word(durationFits),
        sentence.voicedFlatness(),
        recordings.flatnessLow(),
        recordings.flatnessHigh(),
        word(flatnessFits),
        sentence.energyDeviationDb(),
        energyRatio,
        word(energyFits));
  }

  private static String word(boolean fits) {
    return fits ? "yes" : "no";
  }
}
