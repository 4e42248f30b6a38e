package ai.valetts.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.config.AudioConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.EngineSystem;
import ai.valetts.engine.ParityCheck;
import ai.valetts.engine.ParityRow;
import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.Voice;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EvaluationTest {
  private static final AudioConfig AUDIO = new AudioConfig(16000, 512, 256, 512, 80, 0, 0);
  private final SpeechAnalysis analysis = new SpeechAnalysis(new PlainFourierEngine(), AUDIO);

  @Test
  void theConstantIsTheMedianOfEachBinAndItsErrorTheMeanDistance() {
    // Bin 0: 0 0 3 9 9 -> median 3; bin 1: all 1.
    Spectrogram first = new Spectrogram(2, 2, new float[] {0, 9, 1, 1});
    Spectrogram second = new Spectrogram(2, 3, new float[] {3, 0, 9, 1, 1, 1});
    ConstantSpectrum constant = ConstantSpectrum.of(List.of(first, second));
    Spectrogram heldOut = new Spectrogram(2, 1, new float[] {5, 0});
    assertThat(constant.meanL1(List.of(heldOut))).isCloseTo((2 + 1) / 2.0, within(1e-9));
    assertThat(constant.meanL1(List.of())).isNaN();
  }

  @Test
  void noOtherConstantHasASmallerError() {
    Random random = new Random(1);
    float[] values = new float[301];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    List<Spectrogram> set = List.of(new Spectrogram(1, values.length, values));
    double best = ConstantSpectrum.of(set).meanL1(set);
    for (float other = -1; other <= 1; other += 0.05f) {
      Spectrogram guess = new Spectrogram(1, 1, new float[] {other});
      assertThat(ConstantSpectrum.of(List.of(guess)).meanL1(set)).isGreaterThanOrEqualTo(best - 1e-6);
    }
  }

  @Test
  void aBuzzIsVoicedAndFarLessFlatThanNoise() {
    SpeechStatistics buzz = analysis.measure(syllables(1.5, true), 15);
    SpeechStatistics whisper = analysis.measure(syllables(1.5, false), 15);
    assertThat(buzz.secondsPerPhoneme()).isCloseTo(0.1, within(1e-9));
    assertThat(buzz.voicedFlatness()).isBetween(0.0, 0.3);
    assertThat(whisper.voicedFlatness()).satisfiesAnyOf(
        flatness -> assertThat(flatness).isNaN(),
        flatness -> assertThat(flatness).isGreaterThan(0.3));
  }

  @Test
  void syllablesVaryInEnergyAndAHumDoesNot() {
    float[] hum = new float[16000];
    for (int i = 0; i < hum.length; i++) {
      hum[i] = (float) (0.3 * Math.sin(2 * Math.PI * 120 * i / 16000));
    }
    assertThat(analysis.measure(syllables(1, true), 10).energyDeviationDb()).isGreaterThan(6);
    assertThat(analysis.measure(hum, 10).energyDeviationDb()).isLessThan(1);
  }

  @Test
  void silenceAndAudioShorterThanAFrameHaveNoVoicedFrame() {
    assertThat(analysis.measure(new float[16000], 5).voicedFlatness()).isNaN();
    assertThat(analysis.measure(new float[100], 5).voicedFlatness()).isNaN();
  }

  @Test
  void likenessHoldsForSpeechLikeTheRecordingsAndFailsEachWayAlone() {
    RecordingProfile profile = new RecordingProfile(100, 0.1, 0.01, 0.05, 12);
    assertThat(likeness(0.1, 0.03, 11, profile).fits()).isTrue();
    assertThat(likeness(0.1, 0.03, 11, profile).describe()).doesNotContain("no)");
    assertThat(likeness(0.201, 0.03, 11, profile)).matches(l -> !l.durationFits() && l.flatnessFits() && l.energyFits());
    assertThat(likeness(0.049, 0.03, 11, profile).durationFits()).isFalse();
    assertThat(likeness(0.1, 0.06, 11, profile)).matches(l -> l.durationFits() && !l.flatnessFits() && l.energyFits());
    assertThat(likeness(0.1, Double.NaN, 11, profile).flatnessFits()).isFalse();
    assertThat(likeness(0.1, 0.03, 5.9, profile)).matches(l -> l.durationFits() && l.flatnessFits() && !l.energyFits());
  }

  @Test
  void aProfileTakesPercentilesAndIgnoresRecordingsWithoutAVoicedFrame() {
    List<SpeechStatistics> recordings =
        List.of(
            new SpeechStatistics(1, 10, 0.1, 0.01, 10),
            new SpeechStatistics(2, 10, 0.2, 0.02, 20),
            new SpeechStatistics(3, 10, 0.3, Double.NaN, 30));
    RecordingProfile profile = RecordingProfile.of(recordings);
    assertThat(profile.secondsPerPhoneme()).isCloseTo(0.2, within(1e-9));
    assertThat(profile.flatnessLow()).isCloseTo(0.0105, within(1e-9));
    assertThat(profile.flatnessHigh()).isCloseTo(0.0195, within(1e-9));
    assertThat(profile.energyDeviationDb()).isEqualTo(20);
    assertThat(profile.clips()).isEqualTo(3);
  }

  private static SpeechLikeness likeness(double perPhoneme, double flatness, double energy, RecordingProfile profile) {
    return SpeechLikeness.compare(new SpeechStatistics(1, 10, perPhoneme, flatness, energy), profile);
  }

  /** Five pulses of a second, harmonic or noisy, with quiet between them. */
  private static float[] syllables(double seconds, boolean voiced) {
    Random random = new Random(7);
    float[] samples = new float[(int) (16000 * seconds)];
    for (int i = 0; i < samples.length; i++) {
      double envelope = Math.pow(Math.max(0, Math.sin(2 * Math.PI * 5 * i / 16000)), 2);
      double source = 0.01 * random.nextGaussian();
      if (voiced) {
        for (int harmonic = 1; harmonic <= 30; harmonic++) {
          source += Math.sin(2 * Math.PI * 130 * harmonic * i / 16000) / harmonic;
        }
      } else {
        source = random.nextGaussian();
      }
      samples[i] = (float) (0.2 * envelope * source);
    }
    return samples;
  }

  /** An engine that can do nothing but a slow, plain Fourier transform. */
  private static final class PlainFourierEngine implements Engine {
    @Override
    public Spectrogram linearSpectrogram(AudioConfig config, float[] samples) {
      int bins = config.fftSize() / 2 + 1;
      int frames = samples.length / config.hopLength();
      float[] values = new float[bins * frames];
      int size = config.fftSize();
      for (int frame = 0; frame < frames; frame++) {
        int start = frame * config.hopLength() - (size - config.hopLength()) / 2;
        for (int bin = 0; bin < bins; bin++) {
          double re = 0;
          double im = 0;
          for (int n = 0; n < size; n++) {
            int index = start + n;
            if (index >= 0 && index < samples.length) {
              double windowed = samples[index] * (0.5 - 0.5 * Math.cos(2 * Math.PI * n / size));
              int phase = (int) ((long) bin * n % size);
              re += windowed * COSINE[phase];
              im += windowed * SINE[phase];
            }
          }
          values[bin * frames + frame] = (float) Math.hypot(re, im);
        }
      }
      return new Spectrogram(bins, frames, values);
    }

    private static final double[] COSINE = new double[512];
    private static final double[] SINE = new double[512];

    static {
      for (int i = 0; i < 512; i++) {
        COSINE[i] = Math.cos(2 * Math.PI * i / 512);
        SINE[i] = Math.sin(2 * Math.PI * i / 512);
      }
    }

    @Override
    public Spectrogram melSpectrogram(AudioConfig config, float[] samples) {
      throw new AssertionError("speech statistics read linear spectrograms alone");
    }

    @Override
    public Batch.Allocator batchMemory(String device) {
      throw new AssertionError();
    }

    @Override
    public List<ParityRow> checkParity(ParityCheck check) {
      throw new AssertionError("speech statistics read linear spectrograms alone");
    }

    @Override
    public EngineSystem system() {
      throw new AssertionError("speech statistics read linear spectrograms alone");
    }

    @Override
    public TrainingSession createSession(EngineConfig config) {
      throw new AssertionError("speech statistics read linear spectrograms alone");
    }

    @Override
    public Voice openVoice(EngineConfig config, Path generatorFile) {
      throw new AssertionError("speech statistics read linear spectrograms alone");
    }
  }
}
