package ai.valetts.interchange;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Looks into safetensors files for tests outside of this package. */
public final class RecordedTensors {
  private RecordedTensors() {}

  /** The tensors of a file that are not bit for bit those of the recorded file below the prefix; missing ones too. */
  public static List<String> differing(Path recordedFile, String prefix, Path file) {
    List<String> differing = new ArrayList<>();
    try (TensorFile recorded = TensorFile.open(recordedFile);
        TensorFile written = TensorFile.open(file)) {
      for (Map.Entry<String, StoredTensor> entry : recorded.tensors().entrySet()) {
        String name = entry.getKey().startsWith(prefix) ? entry.getKey().substring(prefix.length()) : "";
        if (!name.isEmpty() && !name.contains(".post_transformer.") && !same(entry.getValue(), written.tensors().get(name))) {
          differing.add(name);
        }
      }
    }
    return differing;
  }

  private static boolean same(StoredTensor first, StoredTensor second) {
    if (second == null || !second.hasShape(first.shape())) {
      return false;
    }
    float[] a = first.floats();
    float[] b = second.floats();
    for (int i = 0; i < a.length; i++) {
      if (Float.floatToRawIntBits(a[i]) != Float.floatToRawIntBits(b[i])) {
        return false;
      }
    }
    return true;
  }

  /** The numbers of a tensor of any type. */
  public static float[] numbers(Path file, String name) throws IOException {
    try (TensorFile opened = TensorFile.open(file)) {
      StoredTensor tensor = opened.tensors().get(name);
      if (tensor.type() != TensorType.I64) {
        return tensor.floats();
      }
      ByteBuffer raw = integers(file, name, tensor.count());
      float[] numbers = new float[tensor.count()];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = raw.getLong(8 * i);
      }
      return numbers;
    }
  }

  /** Integers are nothing that the product reads, so they are looked up by hand. */
  private static ByteBuffer integers(Path file, String name, int count) throws IOException {
    ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int headerBytes = (int) all.getLong(0);
    String header = new String(all.array(), 8, headerBytes, StandardCharsets.UTF_8);
    int begin = new ObjectMapper().readTree(header).get(name).get("data_offsets").get(0)
        .asInt();
    return all.slice(8 + headerBytes + begin, 8 * count).order(ByteOrder.LITTLE_ENDIAN);
  }
}
