package ai.valetts.monitor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** 16-bit mono WAV in memory, for event files, which hold audio as encoded bytes. */
final class WavBytes {
  private static final int HEADER_BYTES = 44;
  private static final int PCM = 1;

  private WavBytes() {}

  /** Samples beyond -1..1 are clipped. */
  static byte[] of(float[] samples, int sampleRateHz) {
    int dataBytes = samples.length * Short.BYTES;
    ByteBuffer wav = ByteBuffer.allocate(HEADER_BYTES + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    wav.put(ascii("RIFF")).putInt(HEADER_BYTES - 8 + dataBytes).put(ascii("WAVE"));
    wav.put(ascii("fmt ")).putInt(16).putShort((short) PCM).putShort((short) 1);
    wav.putInt(sampleRateHz).putInt(sampleRateHz * Short.BYTES).putShort((short) Short.BYTES).putShort((short) 16);
    wav.put(ascii("data")).putInt(dataBytes);
    for (float sample : samples) {
      wav.putShort((short) Math.round(Math.max(-1f, Math.min(1f, sample)) * Short.MAX_VALUE));
    }
    return wav.array();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
