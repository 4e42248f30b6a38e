package ai.valetts.evaluation;

import ai.valetts.config.AudioConfig;
import ai.valetts.engine.Engine;
import ai.valetts.engine.Spectrogram;

/**
 * Measures {@link SpeechStatistics}. A frame counts as voiced when its energy is within 30 dB of the loudest frame and
 * its normalised autocorrelation, over lags of 60 to 400 Hz, reaches 0.5. Thread-safe if the engine is.
 */
public final class SpeechAnalysis {
  private static final double LOWEST_BAND_HZ = 60;
  private static final double HIGHEST_BAND_HZ = 7000;
  private static final double VOICED_RANGE_DB = 30;
  private static final double VOICED_CORRELATION = 0.5;
  private static final double LOWEST_PITCH_HZ = 60;
  private static final double HIGHEST_PITCH_HZ = 400;
  private static final double WINDOW_SECONDS = 0.04;
  private static final double SILENCE_DB = 60;
  /** Pitch needs no more; a lower rate makes the autocorrelation cheap. */
  private static final int CORRELATION_RATE_HZ = 8000;

  private static final double TINY_POWER = 1e-12;

  private final Engine engine;
  private final AudioConfig audio;

  public SpeechAnalysis(Engine engine, AudioConfig audio) {
    this.engine = engine;
    this.audio = audio;
  }

  /**
   * @param samples in -1..1 at the configured rate
   * @param phonemes spoken, at least 1
   */
  public SpeechStatistics measure(float[] samples, int phonemes) {
    double seconds = (double) samples.length / audio.sampleRateHz();
    double perPhoneme = seconds / Math.max(1, phonemes);
    int frames = samples.length / audio.hopLength();
    if (frames == 0) {
      return new SpeechStatistics(seconds, phonemes, perPhoneme, Double.NaN, 0);
    }
    double[] energyDb = energyDb(samples, frames);
    return new SpeechStatistics(
        seconds, phonemes, perPhoneme, voicedFlatness(samples, energyDb), deviation(energyDb));
  }

  /** Energy of each frame's window, relative to the loudest frame and not below silence. */
  private double[] energyDb(float[] samples, int frames) {
    double[] power = new double[frames];
    double loudest = TINY_POWER;
    for (int frame = 0; frame < frames; frame++) {
      int centre = frame * audio.hopLength() + audio.hopLength() / 2;
      int from = Math.max(0, centre - audio.winLength() / 2);
      int to = Math.min(samples.length, centre + audio.winLength() / 2);
      for (int i = from; i < to; i++) {
        power[frame] += (double) samples[i] * samples[i];
      }
      power[frame] /= Math.max(1, to - from);
      loudest = Math.max(loudest, power[frame]);
    }
    double[] decibels = new double[frames];
    for (int frame = 0; frame < frames; frame++) {
      double relative = 10 * Math.log10(Math.max(power[frame], TINY_POWER) / loudest);
      decibels[frame] = Math.max(relative, -SILENCE_DB);
    }
    return decibels;
  }

  private double voicedFlatness(float[] samples, double[] energyDb) {
    Spectrogram spectrum = engine.linearSpectrogram(audio, samples);
    double hzPerBin = (double) audio.sampleRateHz() / audio.fftSize();
    int firstBin = (int) Math.ceil(LOWEST_BAND_HZ / hzPerBin);
    int lastBin = Math.min(spectrum.bins() - 1, (int) (HIGHEST_BAND_HZ / hzPerBin));
    int factor = Math.max(1, audio.sampleRateHz() / CORRELATION_RATE_HZ);
    float[] slow = decimate(samples, factor);
    double sum = 0;
    int voiced = 0;
    for (int frame = 0; frame < Math.min(energyDb.length, spectrum.frames()); frame++) {
      int centre = (frame * audio.hopLength() + audio.hopLength() / 2) / factor;
      if (energyDb[frame] > -VOICED_RANGE_DB
          && periodicity(slow, centre, audio.sampleRateHz() / factor) >= VOICED_CORRELATION) {
        sum += flatness(spectrum, frame, firstBin, lastBin);
        voiced++;
      }
    }
    return voiced == 0 ? Double.NaN : sum / voiced;
  }

  private static double flatness(Spectrogram spectrum, int frame, int firstBin, int lastBin) {
    double logSum = 0;
    double sum = 0;
    for (int bin = firstBin; bin <= lastBin; bin++) {
      double magnitude = spectrum.at(bin, frame);
      double power = Math.max(magnitude * magnitude, TINY_POWER);
      logSum += Math.log(power);
      sum += power;
    }
    int bins = lastBin - firstBin + 1;
    return Math.exp(logSum / bins) / (sum / bins);
  }

  /** The greatest normalised autocorrelation among the lags of the pitch range. */
  private static double periodicity(float[] samples, int centre, int rateHz) {
    int window = (int) (WINDOW_SECONDS * rateHz);
    int from = Math.max(0, centre - window / 2);
    int to = Math.min(samples.length, from + window);
    double best = 0;
    for (int lag = (int) (rateHz / HIGHEST_PITCH_HZ); lag <= rateHz / LOWEST_PITCH_HZ; lag++) {
      double product = 0;
      double energy = 0;
      double shiftedEnergy = 0;
      for (int i = from; i + lag < to; i++) {
        product += samples[i] * samples[i + lag];
        energy += samples[i] * samples[i];
        shiftedEnergy += samples[i + lag] * samples[i + lag];
      }
      double norm = Math.sqrt(energy * shiftedEnergy);
      best = Math.max(best, norm <= TINY_POWER ? 0 : product / norm);
    }
    return best;
  }

  private static float[] decimate(float[] samples, int factor) {
    float[] slow = new float[samples.length / factor];
    for (int i = 0; i < slow.length; i++) {
      float sum = 0;
      for (int j = 0; j < factor; j++) {
        sum += samples[i * factor + j];
      }
      slow[i] = sum / factor;
    }
    return slow;
  }

  private static double deviation(double[] values) {
    double mean = 0;
    for (double value : values) {
      mean += value / values.length;
    }
    double variance = 0;
    for (double value : values) {
      variance += (value - mean) * (value - mean) / values.length;
    }
    return Math.sqrt(variance);
  }
}
