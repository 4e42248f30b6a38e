package ai.valetts.audio;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WavWriterTest {
  @TempDir Path folder;

  @Test
  void writesWhatTheReaderReads() throws IOException {
    float[] samples = WavFixtures.tone(300, 0.25, 22050, 0.9);
    Path file = folder.resolve("deep/er/x.wav");
    WavWriter.write(file, samples, 22050);
    DecodedAudio audio = AudioReader.read(file, 22050);
    assertThat(audio.sourceSampleRateHz()).isEqualTo(22050);
    assertThat(audio.samples()).hasSameSizeAs(samples);
    for (int i = 0; i < samples.length; i++) {
      assertThat(WavWriter.toPcm16(samples[i])).isEqualTo((short) Math.round(audio.samples()[i] * 32768));
    }
  }

  @Test
  void clipsInsteadOfWrappingAround() {
    assertThat(WavWriter.toPcm16(1.5f)).isEqualTo((short) 32767);
    assertThat(WavWriter.toPcm16(-1.5f)).isEqualTo((short) -32767);
    assertThat(WavWriter.toPcm16(Float.NaN)).isZero();
    assertThat(WavWriter.toPcm16(Float.POSITIVE_INFINITY)).isEqualTo((short) 32767);
  }

  @Test
  void replacesAFileAndLeavesNoOther() throws IOException {
    Path file = folder.resolve("x.wav");
    WavWriter.write(file, new float[1000], 16000);
    WavWriter.write(file, new float[10], 16000);
    assertThat(Files.size(file)).isEqualTo(64);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }
}
