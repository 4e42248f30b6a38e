package ai.valetts.monitor;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32;

/**
 * Writes the transaction log of a Weights &amp; Biases run: a header of seven bytes, then records in the framing of
 * LevelDB's log, whose blocks of 32 KiB are counted from the beginning of the file. Each chunk is a CRC-32 of type and
 * data (plain, not masked), a length, a type, the data. One thread.
 */
final class WandbFile implements AutoCloseable {
  private static final int BLOCK = 32 * 1024;
  private static final int CHUNK_HEADER = 7;
  private static final int MAGIC = 0xBEE1;
  private static final byte FULL = 1;
  private static final byte FIRST = 2;
  private static final byte MIDDLE = 3;
  private static final byte LAST = 4;

  private static final int RECORD_NUMBER = 1;

  private final OutputStream out;
  private int inBlock;
  private long records;

  WandbFile(Path file) throws IOException {
    out = new BufferedOutputStream(Files.newOutputStream(file, StandardOpenOption.CREATE_NEW), BLOCK);
    ByteBuffer header = ByteBuffer.allocate(7).order(ByteOrder.LITTLE_ENDIAN);
    header.put(":W&B".getBytes(StandardCharsets.US_ASCII)).putShort((short) MAGIC).put((byte) 0);
    out.write(header.array());
    inBlock = header.capacity();
  }

  /** Appends one record; {@code field} says what it is. */
  void write(int field, ProtobufMessage content) throws IOException {
    records++;
    byte[] data = new ProtobufMessage().integer(RECORD_NUMBER, records).message(field, content).toBytes();
    int from = 0;
    boolean first = true;
    do {
      int room = BLOCK - inBlock;
      if (room < CHUNK_HEADER) {
        out.write(new byte[room]);
        inBlock = 0;
        room = BLOCK;
      }
      int length = Math.min(data.length - from, room - CHUNK_HEADER);
      boolean last = from + length == data.length;
      chunk(first ? last ? FULL : FIRST : last ? LAST : MIDDLE, data, from, length);
      from += length;
      first = false;
    } while (from < data.length);
  }

  private void chunk(byte type, byte[] data, int from, int length) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(type);
    crc.update(data, from, length);
    ByteBuffer header = ByteBuffer.allocate(CHUNK_HEADER).order(ByteOrder.LITTLE_ENDIAN);
    header.putInt((int) crc.getValue()).putShort((short) length).put(type);
    out.write(header.array());
    out.write(data, from, length);
    inBlock += CHUNK_HEADER + length;
  }

  /** Records written so far. */
  long records() {
    return records;
  }

  void flush() throws IOException {
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
