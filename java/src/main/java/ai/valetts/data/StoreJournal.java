package ai.valetts.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The index of an {@link AudioStore}: one line for each recording, appended when its samples are written, so that an
 * interruption loses nothing. Each line carries its checksum; of several lines for one file the last counts.
 */
final class StoreJournal implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int CHECKSUM_DIGITS = 8;

  /**
   * What a journal says.
   *
   * @param entries in the order written
   * @param damagedLines lines that are not as they were written; a last line without its end is only unfinished
   * @param soundBytes length up to the last whole line
   */
  record Content(List<RecordingEntry> entries, int damagedLines, long soundBytes) {}

  private final RandomAccessFile file;

  private StoreJournal(RandomAccessFile file) {
    this.file = file;
  }

  /** Reads a journal; an absent one is empty. */
  static Content read(Path path) throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(path);
    } catch (NoSuchFileException e) {
      return new Content(List.of(), 0, 0);
    }
    List<RecordingEntry> entries = new ArrayList<>();
    int damaged = 0;
    int start = 0;
    for (int end = 0; end < bytes.length; end++) {
      if (bytes[end] == '\n') {
        RecordingEntry entry = parse(new String(bytes, start, end - start, StandardCharsets.UTF_8));
        if (entry == null) {
          damaged++;
        } else {
          entries.add(entry);
        }
        start = end + 1;
      }
    }
    return new Content(entries, damaged, start);
  }

  private static RecordingEntry parse(String line) {
    if (line.length() <= CHECKSUM_DIGITS || line.charAt(CHECKSUM_DIGITS) != ' ') {
      return null;
    }
    String json = line.substring(CHECKSUM_DIGITS + 1);
    if (!line.startsWith(checksum(json))) {
      return null;
    }
    try {
      return JSON.readValue(json, RecordingEntry.class);
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  private static String checksum(String json) {
    CRC32C crc = new CRC32C();
    crc.update(json.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }

  /** Opens a journal to go on behind its last whole line. */
  static StoreJournal append(Path path, long soundBytes) throws IOException {
    RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
    file.setLength(soundBytes);
    file.seek(soundBytes);
    return new StoreJournal(file);
  }

  void add(RecordingEntry entry) throws IOException {
    String json = JSON.writeValueAsString(entry);
    file.write((checksum(json) + " " + json + "\n").getBytes(StandardCharsets.UTF_8));
  }

  void sync() throws IOException {
    file.getFD().sync();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
