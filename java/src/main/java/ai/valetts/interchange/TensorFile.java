package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A PyTorch or safetensors file opened for its tensors. Nothing in it is run. Tensors are read one at a time while the
 * file is open; what nobody asks for, such as an optimizer's state, is never read.
 */
final class TensorFile implements AutoCloseable {
  private static final int MAX_PICKLE_BYTES = 64 << 20;
  private static final String PICKLE = "/data.pkl";

  /** How a pickle begins that was written before PyTorch 1.6: protocol 2, then a magic number of 10 bytes. */
  private static final byte[] OLD_TORCH = {(byte) 0x80, 2, (byte) 0x8a, 0x0a, 0x6c, (byte) 0xfc};

  private static final byte[] PICKLE_START = {(byte) 0x80};

  /** Where a safetensors file's header begins, behind its length. */
  private static final int SAFETENSORS_HEADER = 8;

  private static final byte[] ZIP = {'P', 'K', 3, 4};

  /** Where programs keep the weights among other things. */
  private static final List<String> STATE_KEYS = List.of("model", "state_dict", "weight", "net_g", "generator");

  private final FileChannel file;
  private final Map<String, StoredTensor> tensors;
  private final Map<String, Object> settings;

  private TensorFile(FileChannel file, Map<String, StoredTensor> tensors, Map<String, Object> settings) {
    this.file = file;
    this.tensors = tensors;
    this.settings = settings;
  }

  /**
   * @throws CheckpointException if it is neither kind of file, cut short, damaged, or asks for code to be run
   */
  static TensorFile open(Path path) {
    String name = path.toString();
    if (!Files.isRegularFile(path)) {
      throw new CheckpointException("There is no file " + path + ".");
    }
    FileChannel file = null;
    try {
      file = FileChannel.open(path, StandardOpenOption.READ);
      TensorFile opened = open(file, name);
      file = null;
      return opened;
    } catch (IOException e) {
      throw new CheckpointException(name + " cannot be read: " + e.getMessage() + ".", e);
    } finally {
      close(file);
    }
  }

  private static TensorFile open(FileChannel file, String name) throws IOException {
    byte[] start = new byte[(int) Math.min(file.size(), SAFETENSORS_HEADER + 1)];
    new TensorBytes(file, name, 0, start.length, ByteOrder.LITTLE_ENDIAN, null).readAll().get(start);
    if (beginsWith(start, ZIP)) {
      return ofTorch(file, name);
    }
    if (beginsWith(start, OLD_TORCH)) {
      throw new CheckpointException(name + " was written by PyTorch before 1.6 or in its old format. Save it again:"
          + " torch.save(torch.load(file, map_location=\"cpu\"), file).");
    }
    boolean header = start.length > SAFETENSORS_HEADER && start[SAFETENSORS_HEADER] == '{';
    if (!header && beginsWith(start, PICKLE_START)) {
      throw new CheckpointException(name + " is a bare pickle, not a file of torch.save: it holds no weights that can be"
          + " read.");
    }
    SafetensorsReader.Content content = SafetensorsReader.read(file, name);
    return new TensorFile(file, content.tensors(), new LinkedHashMap<>(content.metadata()));
  }

  private static boolean beginsWith(byte[] start, byte[] magic) {
    for (int i = 0; i < magic.length; i++) {
      if (start.length <= i || start[i] != magic[i]) {
        return false;
      }
    }
    return true;
  }

  private static TensorFile ofTorch(FileChannel file, String name) throws IOException {
    Map<String, TensorBytes> entries = TorchZip.entries(file, name);
    List<String> pickles = entries.keySet().stream().filter(entry -> entry.endsWith(PICKLE)).toList();
    if (pickles.size() != 1) {
      throw new CheckpointException(name + " is a zip archive, but not one of torch.save: it has " + pickles.size()
          + " entries called data.pkl.");
    }
    String prefix = pickles.get(0).substring(0, pickles.get(0).length() - PICKLE.length());
    TensorBytes pickle = entries.get(prefix + PICKLE);
    if (pickle.length() > MAX_PICKLE_BYTES) {
      throw new CheckpointException(name + " has a directory of " + pickle.length() + " bytes, and " + MAX_PICKLE_BYTES
          + " is the most that can be read.");
    }
    ByteOrder order = byteOrder(entries.get(prefix + "/byteorder"));
    Object tree =
        PickleReader.read(
            pickle.readAll(),
            name,
            (type, key, count) -> {
              TensorBytes bytes = entries.get(prefix + "/data/" + key);
              if (bytes == null || count < 0 || count > bytes.length() / type.bytes()) {
                throw new CheckpointException(name + " is not complete: the numbers of its storage " + key + " are "
                    + (bytes == null ? "missing." : "fewer than the " + count + " it promises."));
              }
              return new TensorBytes(
                  file, bytes.origin(), bytes.position(), bytes.length(), order, bytes.checksum());
            });
    return ofTree(file, name, tree);
  }

  private static ByteOrder byteOrder(TensorBytes entry) {
    if (entry == null || entry.length() > 16) {
      return ByteOrder.LITTLE_ENDIAN;
    }
    ByteBuffer text = entry.readAll();
    return StandardCharsets.US_ASCII.decode(text).toString().equals("big")
        ? ByteOrder.BIG_ENDIAN
        : ByteOrder.LITTLE_ENDIAN;
  }

  private static TensorFile ofTree(FileChannel file, String name, Object tree) {
    if (!(tree instanceof Map<?, ?> root)) {
      throw new CheckpointException(name + " holds no dictionary of weights.");
    }
    Map<String, Object> settings = new LinkedHashMap<>();
    root.forEach((key, value) -> settings.put(String.valueOf(key), value));
    Map<String, StoredTensor> tensors = Map.of();
    for (String key : STATE_KEYS) {
      if (tensors.isEmpty() && root.get(key) instanceof Map<?, ?> state) {
        tensors = tensorsOf(state);
      }
    }
    if (tensors.isEmpty()) {
      tensors = tensorsOf(root);
    }
    if (tensors.isEmpty()) {
      throw new CheckpointException(name + " holds no weights: there is neither a tensor at its top nor one under "
          + String.join(", ", STATE_KEYS) + ".");
    }
    return new TensorFile(file, tensors, settings);
  }

  private static Map<String, StoredTensor> tensorsOf(Map<?, ?> state) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    state.forEach(
        (key, value) -> {
          if (key instanceof String name && value instanceof StoredTensor tensor) {
            tensors.put(name, tensor);
          }
        });
    return tensors;
  }

  /** The weights by name, in the file's order. */
  Map<String, StoredTensor> tensors() {
    return tensors;
  }

  /** What lies beside the weights: epoch, settings of the program that trained, a safetensors file's texts. */
  Map<String, Object> settings() {
    return settings;
  }

  @Override
  public void close() {
    close(file);
  }

  private static void close(FileChannel file) {
    if (file != null) {
      try {
        file.close();
      } catch (IOException e) {
        throw new CheckpointException("A file could not be closed: " + e.getMessage() + ".", e);
      }
    }
  }
}
