package ai.valetts.audio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.bytedeco.ffmpeg.global.avutil.AV_SAMPLE_FMT_FLTP;
import static org.bytedeco.ffmpeg.global.avutil.AV_SAMPLE_FMT_S16;
import static org.bytedeco.ffmpeg.global.avutil.AV_SAMPLE_FMT_S16P;

import ai.valetts.audio.WavFixtures.Format;
import com.sun.jna.Function;
import com.sun.jna.Structure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class AudioReaderTest {
  @TempDir Path folder;

  /** Height of the part of the signal at one frequency, away from the edges. */
  private static double amplitudeAt(float[] samples, double frequencyHz, int sampleRateHz) {
    double real = 0;
    double imaginary = 0;
    int start = samples.length / 10;
    int end = samples.length - start;
    for (int i = start; i < end; i++) {
      double angle = 2 * Math.PI * frequencyHz * i / sampleRateHz;
      real += samples[i] * Math.cos(angle);
      imaginary += samples[i] * Math.sin(angle);
    }
    return 2 * Math.hypot(real, imaginary) / (end - start);
  }

  @ParameterizedTest
  @EnumSource(Format.class)
  void readsEveryWavFormat(Format format) throws IOException {
    float[] tone = WavFixtures.tone(440, 0.5, 22050, 0.5);
    Path file = WavFixtures.write(folder.resolve("tone.wav"), format, 22050, tone);
    DecodedAudio audio = AudioReader.read(file, 22050);
    assertThat(audio.sourceSampleRateHz()).isEqualTo(22050);
    assertThat(audio.sourceChannels()).isEqualTo(1);
    assertThat(audio.samples()).hasSize(tone.length);
    float tolerance = format == Format.PCM8 ? 0.01f : 1e-4f;
    for (int i = 0; i < tone.length; i++) {
      assertThat(audio.samples()[i]).isCloseTo(tone[i], within(tolerance));
    }
  }

  @ParameterizedTest
  @CsvSource({"8000, 22050", "48000, 22050", "44100, 16000", "16000, 22050", "22050, 8000", "96000, 48000"})
  void resamplesWithoutChangingLengthPitchOrLevel(int from, int to) throws IOException {
    Path file = WavFixtures.writeTone(folder.resolve("tone.wav"), 1000, 1.5, from);
    DecodedAudio audio = AudioReader.read(file, to);
    assertThat(audio.sourceSampleRateHz()).isEqualTo(from);
    assertThat(audio.samples().length).isCloseTo((int) Math.round(1.5 * to), within(3));
    assertThat(amplitudeAt(audio.samples(), 1000, to)).isCloseTo(0.5, within(0.01));
    assertThat(amplitudeAt(audio.samples(), 1300, to)).isLessThan(0.01);
  }

  @Test
  void filtersWhatTheTargetRateCannotHold() throws IOException {
    Path file = WavFixtures.writeTone(folder.resolve("high.wav"), 9000, 1, 48000);
    DecodedAudio audio = AudioReader.read(file, 8000);
    // Folded back, 9000 Hz would be heard at 1000 Hz.
    assertThat(amplitudeAt(audio.samples(), 1000, 8000)).isLessThan(0.005);
  }

  @Test
  void mixesStereoToTheMeanOfItsChannels() throws IOException {
    float[] left = WavFixtures.tone(500, 1, 16000, 0.8);
    float[] right = WavFixtures.tone(2000, 1, 16000, 0.4);
    DecodedAudio mixed =
        AudioReader.read(WavFixtures.write(folder.resolve("s.wav"), Format.PCM16, 16000, left, right), 16000);
    assertThat(mixed.sourceChannels()).isEqualTo(2);
    assertThat(amplitudeAt(mixed.samples(), 500, 16000)).isCloseTo(0.4, within(0.01));
    assertThat(amplitudeAt(mixed.samples(), 2000, 16000)).isCloseTo(0.2, within(0.01));
    // Two equal channels at full scale must not grow louder, nor be clipped.
    float[] loud = WavFixtures.tone(500, 1, 16000, 1.0);
    DecodedAudio same =
        AudioReader.read(WavFixtures.write(folder.resolve("e.wav"), Format.FLOAT32, 48000, loud, loud), 16000);
    assertThat(amplitudeAt(same.samples(), 500 * 3, 16000)).isCloseTo(1.0, within(0.01));
  }

  @Test
  void readsCompressedFormats() throws IOException {
    record Case(String name, String encoder, int format, int rate, double slackSeconds) {}
    for (Case c :
        List.of(
            new Case("a.flac", "flac", AV_SAMPLE_FMT_S16, 48000, 0.001),
            new Case("a.mp3", "libmp3lame", AV_SAMPLE_FMT_S16P, 48000, 0.06),
            new Case("a.opus", "libopus", AV_SAMPLE_FMT_S16, 48000, 0.03),
            new Case("a.ogg", "libopus", AV_SAMPLE_FMT_S16, 48000, 0.03),
            new Case("a.m4a", "aac", AV_SAMPLE_FMT_FLTP, 48000, 0.06),
            new Case("a.g722", "g722", AV_SAMPLE_FMT_S16, 16000, 0.01))) {
      Path file = folder.resolve(c.name);
      CompressedFixtures.write(file, c.encoder, c.format, c.rate, WavFixtures.tone(700, 2, c.rate, 0.5));
      DecodedAudio audio = AudioReader.read(file, 22050);
      assertThat(audio.sourceSampleRateHz()).as(c.name).isEqualTo(c.rate);
      assertThat(audio.sourceChannels()).as(c.name).isEqualTo(1);
      assertThat(audio.samples().length / 22050.0).as(c.name).isCloseTo(2, within(c.slackSeconds));
      assertThat(amplitudeAt(audio.samples(), 700, 22050)).as(c.name).isCloseTo(0.5, within(0.05));
    }
    byte[] flac = Files.readAllBytes(folder.resolve("a.flac"));
    Path cut = Files.write(folder.resolve("cut.flac"), Arrays.copyOf(flac, flac.length / 2));
    assertThatThrownBy(() -> AudioReader.read(cut, 22050)).isInstanceOf(AudioException.class);
    flac[flac.length / 2] ^= 0x55;
    Path damaged = Files.write(folder.resolve("damaged.flac"), flac);
    assertThatThrownBy(() -> AudioReader.read(damaged, 22050))
        .isInstanceOf(AudioException.class)
        .hasMessageContaining("damaged.flac");
    byte[] m4a = Files.readAllBytes(folder.resolve("a.m4a"));
    Path cutM4a = Files.write(folder.resolve("cut.m4a"), Arrays.copyOf(m4a, m4a.length / 2));
    assertThatThrownBy(() -> AudioReader.read(cutM4a, 22050)).isInstanceOf(AudioException.class);
  }

  @Test
  void saysThatAFileIsCutShort() throws IOException {
    byte[] whole = Files.readAllBytes(WavFixtures.writeTone(folder.resolve("tone.wav"), 440, 1, 16000));
    Path cut = Files.write(folder.resolve("cut.wav"), Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> AudioReader.read(cut, 16000))
        .isInstanceOf(AudioException.class)
        .hasMessageContaining("cut.wav is cut short: 0.50 s of 1.00 s are there");
  }

  @Test
  void takesAStreamedWavWithoutALength() throws IOException {
    byte[] wav = Files.readAllBytes(WavFixtures.writeTone(folder.resolve("tone.wav"), 440, 1, 16000));
    ByteBuffer.wrap(wav).order(ByteOrder.LITTLE_ENDIAN).putInt(4, -1).putInt(40, -1);
    Path streamed = Files.write(folder.resolve("streamed.wav"), wav);
    assertThat(AudioReader.read(streamed, 16000).samples()).hasSize(16000);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4, 12, 20, 43, 44})
  void refusesWavHeadersWithoutAudio(int length) throws IOException {
    byte[] whole = Files.readAllBytes(WavFixtures.writeTone(folder.resolve("tone.wav"), 440, 1, 16000));
    Path file = Files.write(folder.resolve("short.wav"), Arrays.copyOf(whole, length));
    assertThatThrownBy(() -> AudioReader.read(file, 16000))
        .isInstanceOf(AudioException.class)
        .hasMessageContaining("short.wav");
  }

  @Test
  void refusesWavThatStatesNoSamples() throws IOException {
    Path file = WavFixtures.write(folder.resolve("none.wav"), Format.PCM16, 16000, new float[0]);
    assertThatThrownBy(() -> AudioReader.read(file, 16000)).hasMessageContaining("none.wav");
  }

  @Test
  void refusesWhatIsNoRecording() throws IOException {
    Path text = Files.writeString(folder.resolve("text.wav"), "this is no recording\n".repeat(500));
    byte[] noise = new byte[20000];
    new Random(1).nextBytes(noise);
    Path random = Files.write(folder.resolve("noise.wav"), noise);
    for (Path file : List.of(text, random, folder, folder.resolve("missing.wav"))) {
      assertThatThrownBy(() -> AudioReader.read(file, 16000))
          .isInstanceOf(AudioException.class)
          .hasMessageStartingWith(file.toString())
          .hasMessageMatching("[\\p{Print}]+");
    }
  }

  /** A playlist could make FFmpeg open any file or address. */
  @Test
  void doesNotFollowPlaylists() throws IOException {
    WavFixtures.writeTone(folder.resolve("real.wav"), 440, 1, 16000);
    Path concat = Files.writeString(folder.resolve("list.wav"), "ffconcat version 1.0\nfile real.wav\n");
    Path hls =
        Files.writeString(
            folder.resolve("hls.wav"),
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nreal.wav\n#EXT-X-ENDLIST\n");
    for (Path file : List.of(concat, hls)) {
      assertThatThrownBy(() -> AudioReader.read(file, 16000)).isInstanceOf(AudioException.class);
    }
  }

  @Test
  void refusesSamplesThatAreNotNumbers() throws IOException {
    float[] samples = WavFixtures.tone(440, 0.1, 16000, 0.5);
    samples[100] = Float.NaN;
    Path file = WavFixtures.write(folder.resolve("nan.wav"), Format.FLOAT32, 16000, samples);
    assertThatThrownBy(() -> AudioReader.read(file, 16000)).hasMessageContaining("not numbers");
  }

  @Test
  void readsNamesWithSpacesColonsAndAccents() throws IOException {
    Path file = WavFixtures.writeTone(folder.resolve("não: é %d fácil.wav"), 440, 0.2, 16000);
    assertThat(AudioReader.read(file, 16000).samples()).hasSize(3200);
  }

  @Test
  void givesThreadsTheSameSamples() throws Exception {
    Path file = WavFixtures.writeTone(folder.resolve("tone.wav"), 440, 1, 48000);
    float[] expected = AudioReader.read(file, 22050).samples();
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      List<Future<DecodedAudio>> answers = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        answers.add(pool.submit(() -> AudioReader.read(file, 22050)));
      }
      for (Future<DecodedAudio> answer : answers) {
        assertThat(answer.get().samples()).isEqualTo(expected);
      }
    } finally {
      pool.shutdownNow();
    }
  }

  /** Failures leave by another way than success; neither may keep native memory. */
  @Test
  void keepsNoMemory() throws IOException {
    Path good = WavFixtures.writeTone(folder.resolve("tone.wav"), 440, 0.1, 48000);
    byte[] whole = Files.readAllBytes(good);
    Path cut = Files.write(folder.resolve("cut.wav"), Arrays.copyOf(whole, whole.length / 2));
    Path damaged = Files.write(folder.resolve("damaged.wav"), Arrays.copyOf(whole, 30));
    Path text = Files.writeString(folder.resolve("text.wav"), "no recording ".repeat(100));
    long[] growth = new long[5];
    for (int round = 0; round < growth.length; round++) {
      long before = bytesInUse();
      for (int i = 0; i < 100; i++) {
        AudioReader.read(good, 22050);
        for (Path bad : List.of(cut, damaged, text)) {
          assertThatThrownBy(() -> AudioReader.read(bad, 22050)).isInstanceOf(AudioException.class);
        }
      }
      growth[round] = bytesInUse() - before;
    }
    // The median, since Java's own compiler takes and returns megabytes now and then. A demuxer or a resampler that was
    // not freed would be tens of kilobytes a call, so some megabytes in every round.
    Arrays.sort(growth);
    assertThat(growth[growth.length / 2]).isLessThan(1_000_000);
  }

  /** Native memory handed out and not given back; the resident size would count Java's growing heap as well. */
  private static long bytesInUse() {
    MallocInformation information =
        (MallocInformation) Function.getFunction("c", "mallinfo2").invoke(MallocInformation.class, new Object[0]);
    return information.fields[7] + information.fields[4];
  }

  /** {@code struct mallinfo2} of glibc: [7] is {@code uordblks}, in use; [4] is {@code hblkhd}, in large blocks. */
  @Structure.FieldOrder("fields")
  public static final class MallocInformation extends Structure implements Structure.ByValue {
    public long[] fields = new long[10];
  }
}
