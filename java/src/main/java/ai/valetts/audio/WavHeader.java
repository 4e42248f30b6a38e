package ai.valetts.audio;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** What a WAV header promises. FFmpeg silently plays what is left of a file that was cut. */
final class WavHeader {
  private static final int CHUNK_HEADER = 8;

  /** Longer files than this cannot be stated; programs that stream write it, or zero. */
  private static final long UNKNOWN_FROM = 0x7fff_0000L;

  private WavHeader() {}

  /** The end of a sentence that begins with the file's name, if less than the stated samples are there. */
  static Optional<String> cutShort(Path file) throws IOException {
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      long length = in.length();
      if (length < 12 || !name(in, 0).equals("RIFF") || !name(in, 8).equals("WAVE")) {
        return Optional.empty();
      }
      long bytesPerSecond = 0;
      long position = 12;
      while (position + CHUNK_HEADER <= length) {
        String chunk = name(in, position);
        long size = unsignedInt(in, position + 4);
        if (chunk.equals("fmt ") && position + CHUNK_HEADER + 12 <= length) {
          bytesPerSecond = unsignedInt(in, position + CHUNK_HEADER + 8);
        }
        if (chunk.equals("data")) {
          long found = length - position - CHUNK_HEADER;
          return size < UNKNOWN_FROM && found < size && bytesPerSecond > 0
              ? Optional.of(describe(found, size, bytesPerSecond))
              : Optional.empty();
        }
        position += CHUNK_HEADER + size + size % 2;
      }
      return Optional.empty();
    }
  }

  private static String describe(long found, long stated, long bytesPerSecond) {
    return String.format(
        Locale.ROOT,
        "is cut short: %.2f s of %.2f s are there",
        (double) found / bytesPerSecond,
        (double) stated / bytesPerSecond);
  }

  private static String name(RandomAccessFile in, long position) throws IOException {
    byte[] bytes = new byte[4];
    in.seek(position);
    in.readFully(bytes);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static long unsignedInt(RandomAccessFile in, long position) throws IOException {
    byte[] bytes = new byte[4];
    in.seek(position);
    in.readFully(bytes);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt() & 0xffff_ffffL;
  }
}
