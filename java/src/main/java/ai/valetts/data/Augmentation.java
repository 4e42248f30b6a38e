package ai.valetts.data;

import ai.valetts.audio.TimeStretch;
import ai.valetts.config.AudioConfig;
import ai.valetts.config.DataConfig;

/**
 * Small random changes of a training clip's sound: loudness, pitch, tempo, noise. What is drawn depends on the seed, the
 * batch and the utterance alone, so that a resumed run hears what the uninterrupted one would have. Thread-safe.
 */
final class Augmentation {
  /** Noise is at most this much softer than the loudest that is allowed. */
  private static final double NOISE_RANGE_DB = 20;

  private final DataConfig.Augmentation limits;
  private final AudioConfig audio;
  private final long seed;
  private final int minSamples;

  /**
   * @param minSamples no clip becomes shorter
   */
  Augmentation(DataConfig.Augmentation limits, AudioConfig audio, long seed, int minSamples) {
    this.limits = limits;
    this.audio = audio;
    this.seed = seed;
    this.minSamples = minSamples;
  }

  /**
   * The clip as this batch hears it; its length may change.
   *
   * @param samples the recording, -1..1; may be changed in place
   */
  float[] apply(Clip clip, float[] samples, BatchPosition at) {
    SplitMix draws = new SplitMix(seed, at.epoch(), at.batchInEpoch(), clip.id());
    double pitch = Math.pow(2, draws.between(-1, 1) * value(limits.pitchSemitones()) / 12);
    double tempo = 1 + draws.between(-1, 1) * value(limits.tempoShare());
    double gainDb = draws.between(-1, 1) * value(limits.gainDb());
    double noiseShare = draws.between(0, 1);
    int length = length(clip, samples.length, tempo);
    float[] changed = samples;
    if (pitch != 1 || length != samples.length) {
      double stretched = (double) length * pitch / samples.length;
      changed = TimeStretch.resample(TimeStretch.stretch(samples, audio.sampleRateHz(), stretched), length);
    }
    if (limits.noiseDb() != null) {
      addNoise(changed, limits.noiseDb() + noiseShare * NOISE_RANGE_DB, draws);
    }
    scale(changed, gainDb);
    return changed;
  }

  private static double value(Double limit) {
    return limit == null ? 0 : limit;
  }

  /** Every symbol needs a frame, and the decoder a whole segment. */
  private int length(Clip clip, int samples, double tempo) {
    int length = (int) Math.round(samples / tempo);
    boolean fits = length >= minSamples && length / audio.hopLength() >= clip.tokenIds().length;
    return fits ? length : samples;
  }

  /** White noise so many dB below the clip's mean power. */
  private static void addNoise(float[] samples, double belowDb, SplitMix draws) {
    double power = 0;
    for (float sample : samples) {
      power += (double) sample * sample;
    }
    double height = Math.sqrt(power / Math.max(1, samples.length)) * Math.pow(10, -belowDb / 20);
    for (int i = 0; i < samples.length; i++) {
      samples[i] += (float) (height * draws.gaussian());
    }
  }

  /** Louder or softer, but never beyond full scale. */
  private static void scale(float[] samples, double gainDb) {
    float peak = 0;
    for (float sample : samples) {
      peak = Math.max(peak, Math.abs(sample));
    }
    float factor = (float) Math.pow(10, gainDb / 20);
    if (peak * factor > 1) {
      factor = 1 / peak;
    }
    if (factor != 1) {
      for (int i = 0; i < samples.length; i++) {
        samples[i] *= factor;
      }
    }
  }
}
