package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The directory of the zip archive that {@code torch.save} writes: entries stored without compression, ZIP64 where a
 * size needs it. Only names and places are read; nothing is unpacked, and nothing is written anywhere.
 */
final class TorchZip {
  private static final int END_BYTES = 22;
  private static final int MAX_COMMENT_BYTES = 0xffff;
  private static final int DIRECTORY_ENTRY_BYTES = 46;
  private static final int LOCAL_HEADER_BYTES = 30;
  private static final long MAX_DIRECTORY_BYTES = 64L << 20;
  private static final int END_SIGNATURE = 0x06054b50;
  private static final int END64_SIGNATURE = 0x06064b50;
  private static final int LOCATOR64_SIGNATURE = 0x07064b50;
  private static final int DIRECTORY_SIGNATURE = 0x02014b50;
  private static final int LOCAL_SIGNATURE = 0x04034b50;
  private static final long IN_ZIP64 = 0xffffffffL;

  private final FileChannel file;
  private final String name;
  private final long fileBytes;

  private record Entry(String name, long headerPosition, long length, long checksum) {}

  private record Directory(long position, long bytes, long entries) {}

  private TorchZip(FileChannel file, String name, long fileBytes) {
    this.file = file;
    this.name = name;
    this.fileBytes = fileBytes;
  }

  /**
   * Ranges of the file by the name of their entry, in the directory's order.
   *
   * @param name of the file, for messages
   * @throws CheckpointException if it is cut short, compressed, or no zip archive as torch writes them
   */
  static Map<String, TensorBytes> entries(FileChannel file, String name) throws IOException {
    return new TorchZip(file, name, file.size()).entries();
  }

  private Map<String, TensorBytes> entries() {
    Directory directory = directory();
    if (directory.bytes > MAX_DIRECTORY_BYTES
        || directory.position < 0
        || directory.position > fileBytes - directory.bytes
        || directory.entries > directory.bytes / DIRECTORY_ENTRY_BYTES) {
      throw cutShort();
    }
    ByteBuffer list = read(directory.position, directory.bytes);
    Map<String, TensorBytes> found = new LinkedHashMap<>();
    for (long i = 0; i < directory.entries; i++) {
      Entry entry = entry(list);
      if (entry.name.endsWith("/") && entry.length == 0) {
        continue;
      }
      if (found.put(entry.name, range(entry)) != null) {
        throw new CheckpointException(name + " holds two entries named " + entry.name + ".");
      }
    }
    return found;
  }

  private Directory directory() {
    long searched = Math.min(fileBytes, END_BYTES + MAX_COMMENT_BYTES);
    ByteBuffer tail = read(fileBytes - searched, searched);
    for (int at = (int) searched - END_BYTES; at >= 0; at--) {
      if (tail.getInt(at) == END_SIGNATURE) {
        return directory(tail, at, fileBytes - searched + at);
      }
    }
    throw cutShort();
  }

  private Directory directory(ByteBuffer tail, int at, long endPosition) {
    long entries = Short.toUnsignedLong(tail.getShort(at + 10));
    long bytes = Integer.toUnsignedLong(tail.getInt(at + 12));
    long position = Integer.toUnsignedLong(tail.getInt(at + 16));
    if (entries != 0xffff && bytes != IN_ZIP64 && position != IN_ZIP64) {
      return new Directory(position, bytes, entries);
    }
    long locatorPosition = endPosition - 20;
    if (locatorPosition < 0) {
      throw cutShort();
    }
    ByteBuffer locator = read(locatorPosition, 20);
    if (locator.getInt(0) != LOCATOR64_SIGNATURE) {
      return new Directory(position, bytes, entries);
    }
    long end64 = locator.getLong(8);
    if (end64 < 0 || end64 > fileBytes - 56) {
      throw cutShort();
    }
    ByteBuffer record = read(end64, 56);
    if (record.getInt(0) != END64_SIGNATURE) {
      throw cutShort();
    }
    Directory directory = new Directory(record.getLong(48), record.getLong(40), record.getLong(32));
    if (directory.bytes < 0 || directory.entries < 0) {
      throw cutShort();
    }
    return directory;
  }

  private Entry entry(ByteBuffer list) {
    int at = list.position();
    if (list.remaining() < DIRECTORY_ENTRY_BYTES || list.getInt(at) != DIRECTORY_SIGNATURE) {
      throw cutShort();
    }
    int flags = list.getShort(at + 8);
    int method = Short.toUnsignedInt(list.getShort(at + 10));
    long checksum = Integer.toUnsignedLong(list.getInt(at + 16));
    long stored = Integer.toUnsignedLong(list.getInt(at + 20));
    long length = Integer.toUnsignedLong(list.getInt(at + 24));
    int nameBytes = Short.toUnsignedInt(list.getShort(at + 28));
    int extraBytes = Short.toUnsignedInt(list.getShort(at + 30));
    int commentBytes = Short.toUnsignedInt(list.getShort(at + 32));
    long position = Integer.toUnsignedLong(list.getInt(at + 42));
    int whole = DIRECTORY_ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
    if (list.remaining() < whole) {
      throw cutShort();
    }
    byte[] text = new byte[nameBytes];
    list.get(at + DIRECTORY_ENTRY_BYTES, text);
    String entryName = new String(text, StandardCharsets.UTF_8);
    refuseStrange(entryName);
    int extra = at + DIRECTORY_ENTRY_BYTES + nameBytes;
    int extraEnd = extra + extraBytes;
    while (extra + 4 <= extraEnd) {
      int id = Short.toUnsignedInt(list.getShort(extra));
      int size = Short.toUnsignedInt(list.getShort(extra + 2));
      if (size > extraEnd - extra - 4) {
        throw cutShort();
      }
      if (id == 1) {
        int value = extra + 4;
        int end = value + size;
        // The 64-bit values stand in this order, each only if its 32-bit field is full.
        if (length == IN_ZIP64 && value + 8 <= end) {
          length = list.getLong(value);
          value += 8;
        }
        if (stored == IN_ZIP64 && value + 8 <= end) {
          stored = list.getLong(value);
          value += 8;
        }
        if (position == IN_ZIP64 && value + 8 <= end) {
          position = list.getLong(value);
        }
      }
      extra += 4 + size;
    }
    list.position(at + whole);
    if ((flags & 1) != 0) {
      throw new CheckpointException(name + ": its entry " + entryName + " is encrypted; PyTorch never writes that.");
    }
    if (entryName.contains("/code/")) {
      throw new CheckpointException(name + " is a TorchScript program, not a checkpoint: give the .pth or .ckpt file of"
          + " the training.");
    }
    if (method != 0 || stored != length) {
      throw new CheckpointException(name + ": its entry " + entryName + " is compressed; PyTorch stores its entries"
          + " as they are. Load the file with torch.load and save it again with torch.save.");
    }
    return new Entry(entryName, position, length, checksum);
  }

  /** Nothing is ever unpacked, so such a name can do no harm here; but no file of PyTorch's has one. */
  private void refuseStrange(String entryName) {
    boolean strange = entryName.isEmpty() || entryName.startsWith("/") || entryName.contains("\\")
        || entryName.chars().anyMatch(c -> c < ' ');
    for (String part : entryName.split("/")) {
      strange |= part.equals("..");
    }
    if (strange) {
      throw new CheckpointException(name + " holds an entry with the name \""
          + entryName.replaceAll("\\p{Cntrl}", "?") + "\", which PyTorch never writes.");
    }
  }

  private TensorBytes range(Entry entry) {
    if (entry.length < 0 || entry.headerPosition < 0 || entry.headerPosition > fileBytes - LOCAL_HEADER_BYTES) {
      throw cutShort();
    }
    ByteBuffer header = read(entry.headerPosition, LOCAL_HEADER_BYTES);
    if (header.getInt(0) != LOCAL_SIGNATURE) {
      throw cutShort();
    }
    long position = entry.headerPosition + LOCAL_HEADER_BYTES
        + Short.toUnsignedInt(header.getShort(26)) + Short.toUnsignedInt(header.getShort(28));
    if (position > fileBytes - entry.length) {
      throw cutShort();
    }
    return new TensorBytes(
        file, name + ": " + entry.name, position, entry.length, ByteOrder.LITTLE_ENDIAN, entry.checksum);
  }

  private ByteBuffer read(long position, long count) {
    return new TensorBytes(file, name, position, count, ByteOrder.LITTLE_ENDIAN, null).readAll();
  }

  private CheckpointException cutShort() {
    return new CheckpointException(name + " is not a whole zip archive, as torch.save writes them: it is cut short or"
        + " damaged. Copy or download it again.");
  }
}
