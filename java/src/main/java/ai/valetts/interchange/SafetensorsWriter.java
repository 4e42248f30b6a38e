package ai.valetts.interchange;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Writes 32-bit floats as a safetensors file, one tensor at a time. */
final class SafetensorsWriter {
  private static final ObjectMapper JSON = new ObjectMapper();

  private SafetensorsWriter() {}

  /**
   * One tensor to write.
   *
   * @param values row-major, asked for when its turn comes
   */
  record Item(String name, long[] shape, Supplier<float[]> values) {
    long bytes() {
      return 4 * Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }
  }

  /**
   * Writes a file and forces it to the disk; whatever has that name is replaced only if all went well.
   *
   * @param metadata texts for the header
   */
  static void write(Path file, List<Item> items, Map<String, String> metadata) throws IOException {
    Map<String, Object> header = new LinkedHashMap<>();
    if (!metadata.isEmpty()) {
      header.put("__metadata__", metadata);
    }
    long offset = 0;
    for (Item item : items) {
      header.put(
          item.name,
          Map.of("dtype", "F32", "shape", item.shape, "data_offsets", new long[] {offset, offset + item.bytes()}));
      offset += item.bytes();
    }
    byte[] json = JSON.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
    try {
      try (FileChannel out =
          FileChannel.open(
              unfinished, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
        write(out, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(padded.length).flip());
        write(out, ByteBuffer.wrap(padded));
        for (Item item : items) {
          float[] values = item.values.get();
          if (4L * values.length != item.bytes()) {
            throw new IllegalStateException(item.name + " has " + values.length + " values for its shape");
          }
          ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asFloatBuffer().put(values);
          write(out, bytes);
        }
        out.force(true);
      }
      Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static void write(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
