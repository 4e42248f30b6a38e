package ai.valetts.audio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimeStretchTest {
  private static final int RATE_HZ = 16000;

  /** Frequency of a tone by its upward zero crossings, ends left out. */
  private static double frequency(float[] samples) {
    int first = -1;
    int last = -1;
    int periods = -1;
    for (int i = samples.length / 10; i < samples.length * 9 / 10; i++) {
      if (samples[i - 1] < 0 && samples[i] >= 0) {
        first = first < 0 ? i : first;
        last = i;
        periods++;
      }
    }
    return (double) periods * RATE_HZ / (last - first);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.8, 0.95, 1.0, 1.07, 1.25})
  void changesTheLengthAndNotThePitch(double factor) {
    float[] tone = WavFixtures.tone(220, 2, RATE_HZ, 0.5);
    float[] stretched = TimeStretch.stretch(tone, RATE_HZ, factor);
    assertThat(stretched).hasSize((int) Math.round(tone.length * factor));
    assertThat(frequency(stretched)).isCloseTo(220, within(3.0));
    double loudness = 0;
    for (int i = 1000; i < stretched.length - 1000; i++) {
      loudness += stretched[i] * stretched[i];
    }
    assertThat(Math.sqrt(2 * loudness / (stretched.length - 2000))).isCloseTo(0.5, within(0.05));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.9, 1.0, 1.1})
  void changesThePitchWithTheLength(double factor) {
    float[] tone = WavFixtures.tone(220, 2, RATE_HZ, 0.5);
    float[] resampled = TimeStretch.resample(tone, (int) (tone.length * factor));
    assertThat(frequency(resampled)).isCloseTo(220 / factor, within(1.0));
  }

  @Test
  void takesVeryShortSounds() {
    assertThat(TimeStretch.stretch(new float[0], RATE_HZ, 1.1)).isEmpty();
    assertThat(TimeStretch.stretch(new float[] {0.5f}, RATE_HZ, 1.1)).hasSize(1);
    assertThat(TimeStretch.stretch(new float[300], RATE_HZ, 0.9)).hasSize(270).containsOnly(0);
  }

  @Test
  void keepsSilenceSilent() {
    assertThat(TimeStretch.stretch(new float[RATE_HZ], RATE_HZ, 1.1)).containsOnly(0);
  }
}
