package ai.valetts.audio;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.audio.WavFixtures.Format;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlainWavTest {
  @TempDir Path folder;

  private Path tone(int rate) throws IOException {
    return WavFixtures.writeTone(folder.resolve("tone-" + rate + ".wav"), 440, 0.1, rate);
  }

  /** The same samples in 32 bits are FFmpeg's business. */
  @Test
  void givesTheSamplesThatFfmpegGives() throws IOException {
    byte[] plain = Files.readAllBytes(tone(16000));
    int count = (plain.length - 44) / 2;
    ByteBuffer wide = ByteBuffer.allocate(44 + count * 4).order(ByteOrder.LITTLE_ENDIAN);
    wide.put(plain, 0, 44).putInt(4, 36 + count * 4).putInt(28, 64000).putShort(32, (short) 4);
    wide.putShort(34, (short) 32).putInt(40, count * 4);
    ByteBuffer narrow = ByteBuffer.wrap(plain).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      wide.putInt(44 + i * 4, narrow.getShort(44 + i * 2) << 16);
    }
    Path decoded = Files.write(folder.resolve("wide.wav"), wide.array());
    assertThat(PlainWav.read(decoded, 16000, 60)).isEmpty();
    assertThat(PlainWav.read(tone(16000), 16000, 60).orElseThrow().samples())
        .isEqualTo(AudioReader.read(decoded, 16000).samples());
  }

  @Test
  void leavesToFfmpegWhatNeedsConverting() throws IOException {
    float[] tone = WavFixtures.tone(440, 0.1, 16000, 0.5);
    assertThat(PlainWav.read(tone(22050), 16000, 60)).isEmpty();
    for (Format format : Format.values()) {
      Path file = WavFixtures.write(folder.resolve(format + ".wav"), format, 16000, tone);
      assertThat(PlainWav.read(file, 16000, 60).isPresent()).as(format.name()).isEqualTo(format == Format.PCM16);
    }
    Path stereo = WavFixtures.write(folder.resolve("stereo.wav"), Format.PCM16, 16000, tone, tone);
    assertThat(PlainWav.read(stereo, 16000, 60)).isEmpty();
  }

  @Test
  void skipsChunksThatAreNotSound() throws IOException {
    byte[] wav = Files.readAllBytes(tone(16000));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(wav, 0, 36);
    // An odd chunk is padded to an even length.
    out.write(new byte[] {'L', 'I', 'S', 'T', 3, 0, 0, 0, 'a', 'b', 'c', 0});
    out.write(wav, 36, wav.length - 36);
    Path file = Files.write(folder.resolve("list.wav"), out.toByteArray());
    assertThat(PlainWav.read(file, 16000, 60).orElseThrow().samples())
        .isEqualTo(PlainWav.read(tone(16000), 16000, 60).orElseThrow().samples());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4, 11, 12, 19, 20, 36, 43, 44, 45, 1000})
  void leavesCutFilesAlone(int bytes) throws IOException {
    byte[] wav = Files.readAllBytes(tone(16000));
    Path cut = Files.write(folder.resolve("cut.wav"), Arrays.copyOf(wav, bytes));
    assertThat(PlainWav.read(cut, 16000, 60)).isEmpty();
  }

  @Test
  void leavesEmptyAndOverlongFilesAlone() throws IOException {
    Path silent = WavFixtures.write(folder.resolve("none.wav"), Format.PCM16, 16000, new float[0]);
    assertThat(PlainWav.read(silent, 16000, 60)).isEmpty();
    Path longer = WavFixtures.write(folder.resolve("long.wav"), Format.PCM16, 16000, new float[16001]);
    assertThat(PlainWav.read(longer, 16000, 1)).isEmpty();
    assertThat(PlainWav.read(longer, 16000, 2)).isPresent();
    byte[] endless = Files.readAllBytes(longer);
    Arrays.fill(endless, 40, 44, (byte) 0xff);
    assertThat(PlainWav.read(Files.write(folder.resolve("endless.wav"), endless), 16000, 2)).isEmpty();
  }
}
