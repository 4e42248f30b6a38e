package ai.valetts.benchmarks;

import ai.valetts.data.Clip;
import ai.valetts.data.ClipAudio;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Clips whose lengths, symbols and sounds are computed, so that nothing has to be recorded, stored or decoded. */
final class FormulaClips implements ClipAudio {
  /** Symbols for each second of speech, as English without blanks between them. */
  static final double SYMBOLS_PER_SECOND = 24;

  private static final double SHORTEST_SECONDS = 1.02;
  private static final double LONGEST_SECONDS = 16.95;
  private static final double MEAN_SECONDS = 5.06;

  /** Of the gamma distribution of lengths: about one clip in 22,910 is longer than the longest. */
  private static final int SHAPE = 6;

  private final int rateHz;

  FormulaClips(int rateHz) {
    this.rateHz = rateHz;
  }

  /** Clips of one length, whole frames. */
  static List<Clip> ofLength(int count, double seconds, int rateHz, int hopLength, int vocabulary) {
    int samples = (int) Math.ceil(seconds * rateHz / hopLength) * hopLength;
    List<Clip> clips = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      clips.add(clip(i, samples, rateHz, hopLength, vocabulary));
    }
    return clips;
  }

  /** Clips of 1.02 to 16.95 s, 5.06 s on average, gamma-distributed. */
  static List<Clip> sampled(int count, long seed, int rateHz, int hopLength, int vocabulary) {
    Random random = new Random(seed);
    List<Clip> clips = new ArrayList<>();
    while (clips.size() < count) {
      double sum = 0;
      for (int i = 0; i < SHAPE; i++) {
        sum -= Math.log(1 - random.nextDouble());
      }
      double seconds = sum * MEAN_SECONDS / SHAPE;
      if (seconds >= SHORTEST_SECONDS && seconds <= LONGEST_SECONDS) {
        clips.add(ofSeconds(clips.size(), seconds, rateHz, hopLength, vocabulary));
      }
    }
    return clips;
  }

  /** One clip, not of whole frames. */
  static Clip ofSeconds(int id, double seconds, int rateHz, int hopLength, int vocabulary) {
    return clip(id, (int) (seconds * rateHz), rateHz, hopLength, vocabulary);
  }

  private static Clip clip(int id, int samples, int rateHz, int hopLength, int vocabulary) {
    Random random = new Random(id);
    int wanted = (int) Math.round((double) samples / rateHz * SYMBOLS_PER_SECOND);
    int[] tokens = new int[Math.max(1, Math.min(wanted, samples / hopLength))];
    for (int t = 0; t < tokens.length; t++) {
      tokens[t] = random.nextInt(vocabulary);
    }
    Path nowhere = Path.of("computed");
    return new Clip(id, "clip " + id, nowhere, nowhere, id + 1, "", "en-us", "speaker", 0, tokens, samples);
  }

  /** Five harmonics of a gliding pitch, loud and quiet by turns, and a little noise. */
  @Override
  public float[] samples(Clip clip) {
    Random random = new Random(clip.id() * 31 + 7);
    double pitchHz = 90 + random.nextInt(160);
    float[] samples = new float[clip.samples()];
    double phase = 0;
    for (int n = 0; n < samples.length; n++) {
      double time = (double) n / rateHz;
      phase += 2 * Math.PI * pitchHz * (1 + 0.2 * Math.sin(3 * time)) / rateHz;
      double tone = 0;
      for (int harmonic = 1; harmonic <= 5; harmonic++) {
        tone += Math.sin(phase * harmonic) / harmonic;
      }
      double loudness = 0.5 + 0.5 * Math.sin(2 * Math.PI * 4 * time);
      samples[n] = (float) (0.2 * loudness * tone + 0.01 * random.nextGaussian());
    }
    return samples;
  }
}
