package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.zip.CRC32;

/**
 * A range of a file that holds the elements of one or more tensors. Nothing is read before it is asked for.
 *
 * @param file open for reading
 * @param origin what to call the range in messages
 * @param position first byte
 * @param length bytes
 * @param order of the bytes of one element
 * @param checksum CRC-32 of the whole range, or null if the file format has none
 */
record TensorBytes(FileChannel file, String origin, long position, long length, ByteOrder order, Long checksum) {

  /**
   * The whole range, checked against its checksum.
   *
   * @throws CheckpointException if it cannot be read, is too large for one buffer or was altered
   */
  ByteBuffer readAll() {
    if (checksum == null) {
      return read(0, length);
    }
    ByteBuffer all = read(0, length);
    CRC32 crc = new CRC32();
    crc.update(all.duplicate());
    if (crc.getValue() != checksum) {
      throw new CheckpointException(origin + " is damaged: its checksum is not the one stored beside it.");
    }
    return all;
  }

  /** A part of the range; not checked. */
  ByteBuffer read(long from, long count) {
    if (count > Integer.MAX_VALUE - 8) {
      throw new CheckpointException(origin + " holds " + count + " bytes in one piece, more than can be read.");
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) count).order(order);
    try {
      while (bytes.hasRemaining()) {
        if (file.read(bytes, position + from + bytes.position()) < 0) {
          throw new CheckpointException(origin + " is cut short.");
        }
      }
    } catch (IOException e) {
      throw new CheckpointException(origin + " cannot be read: " + e.getMessage() + ".", e);
    }
    return bytes.flip();
  }
}
