package ai.valetts.audio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes 16-bit mono WAV files. */
public final class WavWriter {
  private static final int HEADER_BYTES = 44;

  private WavWriter() {}

  /**
   * Writes a file, replacing one of that name only when the new one is complete.
   *
   * @param samples -1..1; what lies outside is clipped, and what is not a number becomes silence
   */
  public static void write(Path file, float[] samples, int sampleRateHz) throws IOException {
    Path target = file.toAbsolutePath();
    Files.createDirectories(target.getParent());
    Path partial = Files.createTempFile(target.getParent(), "." + target.getFileName(), ".tmp");
    try {
      Files.write(partial, encode(samples, sampleRateHz));
      // Temporary files are private; a recording is an ordinary file.
      partial.toFile().setReadable(true, false);
      Files.move(partial, target, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  /** The bytes of such a file. */
  public static byte[] encode(float[] samples, int sampleRateHz) {
    int dataBytes = Math.multiplyExact(samples.length, Short.BYTES);
    ByteBuffer wav = ByteBuffer.allocate(Math.addExact(HEADER_BYTES, dataBytes)).order(ByteOrder.LITTLE_ENDIAN);
    wav.put(ascii("RIFF")).putInt(HEADER_BYTES - 8 + dataBytes).put(ascii("WAVE"));
    wav.put(ascii("fmt ")).putInt(16).putShort((short) 1).putShort((short) 1);
    wav.putInt(sampleRateHz).putInt(sampleRateHz * Short.BYTES).putShort((short) Short.BYTES).putShort((short) 16);
    wav.put(ascii("data")).putInt(dataBytes);
    for (float sample : samples) {
      wav.putShort(toPcm16(sample));
    }
    return wav.array();
  }

  /** Full scale is 32,767 in both directions, so that a value survives a round trip unchanged. */
  public static short toPcm16(float sample) {
    return (short) Math.round(Math.max(-1f, Math.min(1f, sample)) * Short.MAX_VALUE);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
