package ai.valetts.audio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * WAV files that need neither decoding nor resampling: mono, 16-bit PCM, at the wanted rate already. They are read
 * without FFmpeg, to the same samples, so that prepared recordings can be trained on where FFmpeg's libraries are not.
 */
final class PlainWav {
  private static final int RIFF = 0x46464952;
  private static final int WAVE = 0x45564157;
  private static final int FORMAT = 0x20746d66;
  private static final int DATA = 0x61746164;
  private static final int RIFF_HEADER = 12;
  private static final int CHUNK_HEADER = 8;
  private static final int FORMAT_FIELDS = 16;
  private static final short PCM = 1;

  /** FFmpeg's scale for 16-bit samples. */
  private static final float SCALE = 1f / (1 << 15);

  private PlainWav() {}

  /** The samples; empty when the file is anything but such a WAV, whole and with at least one sample. */
  static Optional<DecodedAudio> read(Path file, int sampleRateHz, int maxSeconds) throws IOException {
    long longest = (long) maxSeconds * sampleRateHz * Short.BYTES + (1 << 16);
    if (Files.size(file) > longest || !startsLikeWav(file)) {
      return Optional.empty();
    }
    ByteBuffer wav = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    boolean isPlain = false;
    long position = RIFF_HEADER;
    while (position + CHUNK_HEADER <= wav.limit()) {
      int at = (int) position;
      long size = wav.getInt(at + 4) & 0xffff_ffffL;
      int body = at + CHUNK_HEADER;
      if (body + size > wav.limit()) {
        return Optional.empty();
      }
      if (wav.getInt(at) == FORMAT && size >= FORMAT_FIELDS) {
        isPlain =
            wav.getShort(body) == PCM
                && wav.getShort(body + 2) == 1
                && wav.getInt(body + 4) == sampleRateHz
                && wav.getShort(body + 12) == Short.BYTES
                && wav.getShort(body + 14) == Short.SIZE;
      }
      if (wav.getInt(at) == DATA) {
        return isPlain && size >= Short.BYTES && size / Short.BYTES <= (long) maxSeconds * sampleRateHz
            ? Optional.of(new DecodedAudio(samples(wav, body, (int) (size / Short.BYTES)), sampleRateHz, 1, "wav"))
            : Optional.empty();
      }
      position += CHUNK_HEADER + size + size % 2;
    }
    return Optional.empty();
  }

  private static boolean startsLikeWav(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      ByteBuffer start = ByteBuffer.wrap(in.readNBytes(RIFF_HEADER)).order(ByteOrder.LITTLE_ENDIAN);
      return start.limit() == RIFF_HEADER && start.getInt(0) == RIFF && start.getInt(8) == WAVE;
    }
  }

  private static float[] samples(ByteBuffer wav, int position, int count) {
    float[] samples = new float[count];
    for (int i = 0; i < count; i++) {
      samples[i] = wav.getShort(position + i * Short.BYTES) * SCALE;
    }
    return samples;
  }
}
