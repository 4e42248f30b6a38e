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
 * A file of records, one JSON line each, that is only appended to, so that an interruption loses at most the line it cut.
 * Each line carries its checksum.
 */
final class LineJournal implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int CHECKSUM_DIGITS = 8;

  /**
   * What a journal says.
   *
   * @param entries in the order written
   * @param damagedLines lines that are not as they were written; a last line without its end is only unfinished
   * @param soundBytes length up to the last whole line
   */
  record Content<T>(List<T> entries, int damagedLines, long soundBytes) {}

  private final RandomAccessFile file;

  private LineJournal(RandomAccessFile file) {
    this.file = file;
  }

  /** Reads a journal; an absent one is empty. */
  static <T> Content<T> read(Path path, Class<T> type) throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(path);
    } catch (NoSuchFileException e) {
      return new Content<>(List.of(), 0, 0);
    }
    List<T> entries = new ArrayList<>();
    int damaged = 0;
    int start = 0;
    for (int end = 0; end < bytes.length; end++) {
      if (bytes[end] == '\n') {
        T entry = parse(new String(bytes, start, end - start, StandardCharsets.UTF_8), type);
        if (entry == null) {
          damaged++;
        } else {
          entries.add(entry);
        }
        start = end + 1;
      }
    }
    return new Content<>(entries, damaged, start);
  }

  private static <T> T parse(String line, Class<T> type) {
    if (line.length() <= CHECKSUM_DIGITS || line.charAt(CHECKSUM_DIGITS) != ' ') {
      return null;
    }
    String json = line.substring(CHECKSUM_DIGITS + 1);
    if (!line.startsWith(checksum(json))) {
      return null;
    }
    try {
      return JSON.readValue(json, type);
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
  static LineJournal append(Path path, long soundBytes) throws IOException {
    RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
    file.setLength(soundBytes);
    file.seek(soundBytes);
    return new LineJournal(file);
  }

  void add(Object entry) throws IOException {
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
