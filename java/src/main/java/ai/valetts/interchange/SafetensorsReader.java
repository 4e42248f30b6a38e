package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads the header of a safetensors file: 8 bytes of length, a JSON object, then the numbers. Format:
 * https://github.com/huggingface/safetensors.
 */
final class SafetensorsReader {
  /** About fifty times what the largest of the public checkpoints needs. */
  private static final long MAX_HEADER_BYTES = 16L << 20;

  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8).build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final FileChannel file;
  private final String name;
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private SafetensorsReader(FileChannel file, String name) {
    this.file = file;
    this.name = name;
  }

  /** What a file holds, its texts apart. */
  record Content(Map<String, StoredTensor> tensors, Map<String, String> metadata) {}

  /**
   * @param name of the file, for messages
   * @throws CheckpointException if it is cut short or no safetensors file
   */
  static Content read(FileChannel file, String name) throws IOException {
    SafetensorsReader reader = new SafetensorsReader(file, name);
    reader.read(file.size());
    return new Content(reader.tensors, reader.metadata);
  }

  private void read(long fileBytes) {
    if (fileBytes < 8) {
      throw new CheckpointException(name + " is too short for a safetensors file.");
    }
    long headerBytes = bytes(0, 8).readAll().getLong();
    if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES) {
      throw new CheckpointException(name + " is no safetensors file that can be read: its header would have "
          + Long.toUnsignedString(headerBytes) + " bytes, and " + MAX_HEADER_BYTES + " is the most.");
    }
    if (headerBytes > fileBytes - 8) {
      throw new CheckpointException(name + " is cut short: its header has " + headerBytes + " bytes, the file "
          + fileBytes + ".");
    }
    JsonNode header = header(bytes(8, headerBytes).readAll());
    long dataStart = 8 + headerBytes;
    for (Map.Entry<String, JsonNode> entry : header.properties()) {
      if (entry.getKey().equals("__metadata__")) {
        entry.getValue().properties().forEach(text -> metadata.put(text.getKey(), text.getValue().asText()));
      } else {
        tensors.put(entry.getKey(), tensor(entry.getKey(), entry.getValue(), dataStart, fileBytes - dataStart));
      }
    }
  }

  private JsonNode header(ByteBuffer json) {
    try {
      JsonNode header = JSON.readTree(json.array());
      if (!header.isObject()) {
        throw new CheckpointException(name + " is no safetensors file: its header is no JSON object.");
      }
      return header;
    } catch (IOException e) {
      throw new CheckpointException(name + " is no safetensors file: its header is not valid JSON.", e);
    }
  }

  private StoredTensor tensor(String key, JsonNode entry, long dataStart, long dataBytes) {
    String origin = name + ": " + key;
    TensorType type =
        TensorType.ofSafetensors(entry.path("dtype").asText())
            .orElseThrow(
                () -> new CheckpointException(origin + " has the unknown type \"" + entry.path("dtype").asText() + "\"."));
    JsonNode sizes = entry.path("shape");
    JsonNode offsets = entry.path("data_offsets");
    if (!sizes.isArray() || !offsets.isArray() || offsets.size() != 2) {
      throw new CheckpointException(origin + " has no shape or no place in the file.");
    }
    long[] shape = new long[sizes.size()];
    for (int d = 0; d < shape.length; d++) {
      shape[d] = integer(sizes.get(d), origin);
    }
    long begin = integer(offsets.get(0), origin);
    long end = integer(offsets.get(1), origin);
    if (begin > end || end > dataBytes) {
      throw new CheckpointException(origin + " lies at bytes " + begin + " to " + end + " of the " + dataBytes
          + " that follow the header: the file is cut short or damaged.");
    }
    StoredTensor tensor =
        StoredTensor.contiguous(
            type, shape, new TensorBytes(file, origin, dataStart + begin, end - begin, ByteOrder.LITTLE_ENDIAN, null));
    if ((long) tensor.count() * type.bytes() != end - begin) {
      throw new CheckpointException(origin + " has " + (end - begin) + " bytes, but its shape needs "
          + (long) tensor.count() * type.bytes() + ".");
    }
    return tensor;
  }

  private static long integer(JsonNode number, String origin) {
    if (!number.isIntegralNumber() || !number.canConvertToLong() || number.asLong() < 0) {
      throw new CheckpointException(origin + " has the size or place " + number + ", which is no whole number.");
    }
    return number.asLong();
  }

  private TensorBytes bytes(long position, long length) {
    return new TensorBytes(file, name, position, length, ByteOrder.LITTLE_ENDIAN, null);
  }
}
