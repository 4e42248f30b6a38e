package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.audio.WavFixtures;
import ai.valetts.config.DataConfig;
import ai.valetts.engine.Batch;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AugmentationTest {
  private static final DataConfig.Augmentation ALL = new DataConfig.Augmentation(6.0, 1.0, 0.1, 30.0);

  private static final ClipAudio AUDIO =
      clip -> WavFixtures.tone(150 + clip.id() % 50, clip.samples() / 16000.0, 16000, 0.3);

  private static float[] applied(DataConfig.Augmentation limits, int batch, Clip clip) {
    Augmentation augmentation = new Augmentation(limits, DataFixtures.AUDIO, 3, 16000);
    return augmentation.apply(clip, AUDIO.samples(clip), new BatchPosition(0, batch));
  }

  private static double power(float[] samples) {
    double sum = 0;
    for (float sample : samples) {
      sum += sample * sample;
    }
    return sum / samples.length;
  }

  @Test
  void drawsTheSameForTheSameBatchAndOthersForOthers() {
    Clip clip = DataFixtures.clip(1, 120, 20);
    assertThat(applied(ALL, 4, clip)).isEqualTo(applied(ALL, 4, clip));
    assertThat(applied(ALL, 5, clip)).isNotEqualTo(applied(ALL, 4, clip));
    assertThat(applied(ALL, 4, DataFixtures.clip(2, 120, 20))).isNotEqualTo(applied(ALL, 4, clip));
  }

  @Test
  void staysWithinItsLimits() {
    Clip clip = DataFixtures.clip(1, 120, 20);
    double before = power(AUDIO.samples(clip));
    double least = Double.MAX_VALUE;
    double most = 0;
    for (int i = 0; i < 200; i++) {
      float[] gained = applied(new DataConfig.Augmentation(6.0, null, null, null), i, clip);
      assertThat(gained).hasSize(clip.samples());
      double change = 10 * Math.log10(power(gained) / before);
      least = Math.min(least, change);
      most = Math.max(most, change);
      int length = applied(new DataConfig.Augmentation(null, null, 0.1, null), i, clip).length;
      assertThat((double) length / clip.samples()).isBetween(1 / 1.1 - 0.001, 1 / 0.9 + 0.001);
    }
    assertThat(least).isBetween(-6.0, -4.0);
    assertThat(most).isBetween(4.0, 6.0);
  }

  @Test
  void addsNoiseBelowTheClip() {
    Clip clip = DataFixtures.clip(1, 120, 20);
    float[] clean = AUDIO.samples(clip);
    for (int i = 0; i < 50; i++) {
      float[] noisy = applied(new DataConfig.Augmentation(null, null, null, 30.0), i, clip);
      float[] noise = new float[clean.length];
      for (int n = 0; n < noise.length; n++) {
        noise[n] = noisy[n] - clean[n];
      }
      assertThat(10 * Math.log10(power(clean) / power(noise))).isBetween(29.5, 50.5);
    }
  }

  @Test
  void neverGoesBeyondFullScaleNorBelowAFrameForASymbol() {
    Clip clip = DataFixtures.clip(1, 120, 120);
    for (int i = 0; i < 50; i++) {
      float[] samples = applied(new DataConfig.Augmentation(24.0, 2.0, 0.2, 20.0), i, clip);
      assertThat(samples.length / 256).isGreaterThanOrEqualTo(120);
      for (float sample : samples) {
        assertThat(Math.abs(sample)).isLessThanOrEqualTo(1.0001f);
      }
    }
  }

  @Test
  void changesNothingWithoutLimits() {
    Clip clip = DataFixtures.clip(1, 120, 20);
    assertThat(applied(new DataConfig.Augmentation(null, null, null, null), 0, clip)).isEqualTo(AUDIO.samples(clip));
  }

  @Test
  void isHeardAgainByARunThatGoesOn() {
    List<Clip> clips = IntStream.range(0, 40).mapToObj(i -> DataFixtures.clip(i, 70 + i, 10)).toList();
    DataConfig plain = DataFixtures.config(0, 0);
    DataConfig data =
        new DataConfig(
            List.of(), 4, null, plain.bucketFrames(), 0.1, 5, null, null, null, ALL, 0, 0, 2, plain.prefetchBatches());
    List<Double> whole = new ArrayList<>();
    BatchPosition middle = null;
    try (BatchLoader loader = new BatchLoader(clips, AUDIO, data, DataFixtures.AUDIO, 42, BatchPosition.START)) {
      for (int i = 0; i < 25; i++) {
        middle = i == 12 ? loader.position() : middle;
        whole.add(fingerprint(loader));
      }
    }
    try (BatchLoader loader = new BatchLoader(clips, AUDIO, data, DataFixtures.AUDIO, 42, middle)) {
      for (int i = 12; i < 25; i++) {
        assertThat(fingerprint(loader)).isCloseTo(whole.get(i), within(0.0));
      }
    }
  }

  private static double fingerprint(BatchLoader loader) {
    try (Batch batch = loader.next()) {
      double sum = 0;
      for (int b = 0; b < batch.size(); b++) {
        for (int n = 0; n < batch.storage().sampleLengths.get(b); n++) {
          sum += (n % 7 + 1) * Math.abs(batch.storage().samples.get(b * batch.maxSamples() + n));
        }
      }
      return sum;
    }
  }
}
