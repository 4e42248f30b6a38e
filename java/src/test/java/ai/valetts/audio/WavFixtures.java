package ai.valetts.audio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes WAV files of every layout the reader must take, written byte by byte so that no code under test is trusted. */
public final class WavFixtures {
  /** Sample formats of a WAV file. */
  public enum Format {
    PCM8(8, 1),
    PCM16(16, 1),
    PCM24(24, 1),
    PCM32(32, 1),
    FLOAT32(32, 3);

    final int bits;
    final int tag;

    Format(int bits, int tag) {
      this.bits = bits;
      this.tag = tag;
    }
  }

  private WavFixtures() {}

  /** A sine of the given height. */
  public static float[] tone(double frequencyHz, double seconds, int sampleRateHz, double amplitude) {
    float[] samples = new float[(int) Math.round(seconds * sampleRateHz)];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = (float) (amplitude * Math.sin(2 * Math.PI * frequencyHz * i / sampleRateHz));
    }
    return samples;
  }

  /** Writes one mono 16-bit file with a tone. */
  public static Path writeTone(Path file, double frequencyHz, double seconds, int sampleRateHz) throws IOException {
    return write(file, Format.PCM16, sampleRateHz, tone(frequencyHz, seconds, sampleRateHz, 0.5));
  }

  /** Writes the given channels, all of one length. */
  public static Path write(Path file, Format format, int sampleRateHz, float[]... channels) throws IOException {
    int bytesPerSample = format.bits / 8;
    int frames = channels[0].length;
    int dataBytes = frames * channels.length * bytesPerSample;
    ByteBuffer wav = ByteBuffer.allocate(44 + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    wav.put(ascii("RIFF")).putInt(36 + dataBytes).put(ascii("WAVE")).put(ascii("fmt ")).putInt(16);
    wav.putShort((short) format.tag).putShort((short) channels.length).putInt(sampleRateHz);
    wav.putInt(sampleRateHz * channels.length * bytesPerSample);
    wav.putShort((short) (channels.length * bytesPerSample)).putShort((short) format.bits);
    wav.put(ascii("data")).putInt(dataBytes);
    for (int i = 0; i < frames; i++) {
      for (float[] channel : channels) {
        put(wav, format, channel[i]);
      }
    }
    Files.createDirectories(file.toAbsolutePath().getParent());
    return Files.write(file, wav.array());
  }

  private static void put(ByteBuffer wav, Format format, float sample) {
    switch (format) {
      case PCM8 -> wav.put((byte) Math.round(128 + sample * 127));
      case PCM16 -> wav.putShort((short) Math.round(sample * 32767));
      case PCM24 -> {
        int value = Math.round(sample * 8388607);
        wav.put((byte) value).put((byte) (value >> 8)).put((byte) (value >> 16));
      }
      case PCM32 -> wav.putInt((int) Math.round(sample * 2147483647.0));
      case FLOAT32 -> wav.putFloat(sample);
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
