package ai.valetts.monitor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads event files by the published formats, sharing nothing with the writer: its own bitwise CRC-32C (Castagnoli,
 * reflected polynomial 0x82f63b78) and its own protocol-buffer decoder.
 */
final class EventFileReader {
  private EventFileReader() {}

  /** A decoded message: field number to raw values (Long for varint and fixed, byte[] for the rest). */
  record Message(Map<Integer, List<Object>> fields) {
    boolean has(int field) {
      return fields.containsKey(field);
    }

    long integer(int field) {
      return (Long) fields.get(field).get(0);
    }

    double real(int field) {
      return Double.longBitsToDouble(integer(field));
    }

    float single(int field) {
      return Float.intBitsToFloat((int) integer(field));
    }

    byte[] bytes(int field) {
      return (byte[]) fields.get(field).get(0);
    }

    String text(int field) {
      return new String(bytes(field), StandardCharsets.UTF_8);
    }

    Message message(int field) {
      return decode(bytes(field));
    }
  }

  static List<Message> read(Path file) throws IOException {
    ByteBuffer data = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<Message> events = new ArrayList<>();
    while (data.hasRemaining()) {
      byte[] lengthBytes = new byte[8];
      data.get(lengthBytes);
      expectCrc(lengthBytes, data.getInt());
      byte[] record = new byte[Math.toIntExact(ByteBuffer.wrap(lengthBytes).order(ByteOrder.LITTLE_ENDIAN).getLong())];
      data.get(record);
      expectCrc(record, data.getInt());
      events.add(decode(record));
    }
    return events;
  }

  private static void expectCrc(byte[] bytes, int masked) throws IOException {
    int crc = ~0;
    for (byte value : bytes) {
      crc ^= value & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) == 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
      }
    }
    crc = ~crc;
    int expected = (crc >>> 15 | crc << 17) + 0xa282ead8;
    if (expected != masked) {
      throw new IOException("checksum differs");
    }
  }

  static Message decode(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    Map<Integer, List<Object>> fields = new TreeMap<>();
    while (in.hasRemaining()) {
      long key = varint(in);
      Object value = switch ((int) (key & 7)) {
        case 0 -> varint(in);
        case 1 -> in.getLong();
        case 2 -> {
          byte[] content = new byte[(int) varint(in)];
          in.get(content);
          yield content;
        }
        case 5 -> (long) in.getInt();
        default -> throw new IllegalStateException("wire type " + (key & 7));
      };
      fields.computeIfAbsent((int) (key >>> 3), field -> new ArrayList<>()).add(value);
    }
    return new Message(fields);
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte next = in.get();
      value |= (long) (next & 0x7f) << shift;
      if (next >= 0) {
        return value;
      }
    }
  }
}
