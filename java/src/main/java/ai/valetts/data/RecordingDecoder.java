package ai.valetts.data;

import ai.valetts.audio.AudioException;
import ai.valetts.audio.AudioReader;
import ai.valetts.audio.DecodedAudio;
import ai.valetts.audio.SpeechMeasure;
import ai.valetts.audio.WavWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.zip.CRC32C;

/** Turns one recording into the samples a store keeps: decoded, resampled, without offset, trimmed. Thread-safe. */
final class RecordingDecoder {
  /** A smaller offset cannot be heard and is left as it is. */
  private static final double LARGEST_OFFSET = 0.01;

  private static final int HASH_BUFFER_BYTES = 1 << 16;

  private final AudioStore.Settings settings;
  private final Map<String, RecordingEntry> byContent;

  /**
   * What became of a file.
   *
   * @param pcm 16-bit samples to write; empty if it could not be decoded or its samples are there already
   */
  record Decoded(RecordingEntry entry, byte[] pcm) {}

  /**
   * @param byContent recordings the store has, by the hash of their source files
   */
  RecordingDecoder(AudioStore.Settings settings, Map<String, RecordingEntry> byContent) {
    this.settings = settings;
    this.byContent = byContent;
  }

  Decoded decode(Path file) {
    long bytes = 0;
    long changed = 0;
    try {
      FileState state = FileState.of(file);
      bytes = state.bytes();
      changed = state.changedNanos();
      if (Files.isDirectory(file)) {
        return failed(file, bytes, changed, AudioException.Fault.MISSING, "is not a file");
      }
      String hash = byContent.isEmpty() ? null : hash(file);
      if (hash != null && byContent.containsKey(hash)) {
        return new Decoded(byContent.get(hash).of(file.toString(), bytes, changed), new byte[0]);
      }
      DecodedAudio audio = AudioReader.read(file, settings.sampleRateHz());
      return decoded(file, bytes, changed, audio, hash == null ? hash(file) : hash);
    } catch (AudioException e) {
      return failed(file, bytes, changed, e.fault(), e.reason());
    } catch (NoSuchFileException e) {
      return failed(file, bytes, changed, AudioException.Fault.MISSING, "does not exist any more");
    } catch (IOException e) {
      return failed(file, bytes, changed, AudioException.Fault.UNREADABLE, "cannot be read: " + e.getMessage());
    }
  }

  private static Decoded failed(Path file, long bytes, long changed, AudioException.Fault fault, String reason) {
    return new Decoded(RecordingEntry.failed(file.toString(), bytes, changed, fault, reason), new byte[0]);
  }

  private Decoded decoded(Path file, long bytes, long changed, DecodedAudio audio, String hash) {
    float[] samples = audio.samples();
    boolean trims = settings.trim() != null;
    SpeechMeasure measure =
        SpeechMeasure.of(
            samples,
            settings.sampleRateHz(),
            trims ? settings.trim().silenceDb() : Double.NaN,
            trims ? settings.trim().marginSeconds() : 0);
    float offset = Math.abs(measure.offset()) > LARGEST_OFFSET ? (float) measure.offset() : 0;
    int length = measure.endOfSound() - measure.firstSound();
    ByteBuffer pcm = ByteBuffer.allocate(length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = measure.firstSound(); i < measure.endOfSound(); i++) {
      pcm.putShort(WavWriter.toPcm16(samples[i] - offset));
    }
    CRC32C crc = new CRC32C();
    crc.update(pcm.array());
    RecordingEntry entry =
        new RecordingEntry(
            file.toString(),
            bytes,
            changed,
            hash,
            audio.container(),
            audio.sourceSampleRateHz(),
            audio.sourceChannels(),
            0,
            0,
            length,
            (int) crc.getValue(),
            samples.length - length,
            measure.peak(),
            measure.levelDb(),
            offset,
            measure.clippedShare(),
            null,
            null);
    return new Decoded(entry, pcm.array());
  }

  private static String hash(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[HASH_BUFFER_BYTES];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        digest.update(buffer, 0, read);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
