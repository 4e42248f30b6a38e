package ai.valetts.interchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.checkpoint.CheckpointException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of a real PyTorch, and files that nobody should have made. */
@Timeout(120)
class TensorFileTest {
  /** {@code torch._utils._rebuild_tensor_v2(FloatStorage '0' of 4, offset, size, stride, False, OrderedDict())}. */
  private static final String STORAGE = "((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" + "0X\3\0\0\0cpuK\4tQ";

  @TempDir private static Path folder;
  @TempDir private Path scratch;

  @BeforeAll
  static void writeFiles() {
    PythonTorch.run("write_files.py", folder);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5})
  void readsWhatPyTorchWroteBitForBit(int protocol) throws IOException {
    Map<String, List<Float>> expected =
        new ObjectMapper().readValue(
            Files.readString(folder.resolve("expected.json")).replace("Infinity", "1e999"),
            new TypeReference<Map<String, List<Float>>>() {});
    try (TensorFile file = TensorFile.open(folder.resolve("protocol" + protocol + ".pth"))) {
      assertThat(file.tensors()).containsKeys("i64", "bool");
      expected.forEach(
          (name, values) -> {
            float[] read = file.tensors().get(name).floats();
            assertThat(read).as(name).hasSize(values.size());
            for (int i = 0; i < read.length; i++) {
              assertThat(Float.floatToRawIntBits(read[i])).as(name).isEqualTo(Float.floatToRawIntBits(values.get(i)));
            }
          });
      assertThat(file.tensors().get("transposed").shape()).containsExactly(8, 6);
      assertThat(file.tensors().get("empty").shape()).containsExactly(0, 4);
      assertThat(file.tensors().get("scalar").shape()).isEmpty();
      assertThat(file.settings())
          .containsEntry("iteration", 42L)
          .containsEntry("big", BigInteger.TWO.pow(80))
          .containsEntry("learning_rate", 2e-4)
          .containsEntry("betas", List.of(0.8, 0.99))
          .containsEntry("names", List.of("ana", "béa"));
      assertThat(((Map<?, ?>) file.settings().get("flags")).get(3L)).isEqualTo(List.of(1L, 2L));
      assertThatThrownBy(() -> file.tensors().get("i64").floats())
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("I64");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"module.pth", "bare_state.pth", "paths.ckpt"})
  void findsTheWeightsWhereverProgramsKeepThem(String name) {
    try (TensorFile file = TensorFile.open(folder.resolve(name))) {
      assertThat(file.tensors()).containsOnlyKeys("0.weight", "0.bias", "1.weight", "1.bias");
      assertThat(file.tensors().get("1.weight").hasShape(3)).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void refusesACallOfTheShellByNameAndDoesNotRunIt(int protocol) {
    refuses(folder.resolve("attack" + protocol + ".pth")).hasMessageContaining("posix.system");
    assertThat(folder.resolve("the_attack_ran")).doesNotExist();
  }

  @Test
  void refusesOtherClassesByName() {
    refuses(folder.resolve("namespace.pth")).hasMessageContaining("argparse.Namespace");
    for (String name : List.of("os\nsystem", "builtins\neval", "torch\nload", "torch.storage\n_load_from_bytes",
        "pathlib\nPosixPath.unlink", "torch._utils\n_rebuild_tensor_v2.__globals__")) {
      refuses(torch("c" + name + "\n.")).hasMessageContaining(name.replace('\n', '.'));
    }
    refuses(torch("\u008c\2os\u008c\6system\u0093.")).hasMessageContaining("os.system");
  }

  @Test
  void saysWhatToDoWithOtherFormats() {
    refuses(folder.resolve("old_format.pth")).hasMessageContaining("torch.save(torch.load(");
    refuses(folder.resolve("script.pth")).hasMessageContaining("TorchScript");
    refuses(folder.resolve("list.pth")).hasMessageContaining("no dictionary");
    refuses(folder.resolve("no_tensors.pth")).hasMessageContaining("no weights");
    refuses(scratch.resolve("absent.pth")).hasMessageContaining("absent.pth");
    refuses(scratch).hasMessageContaining("no file");
    refuses(file("empty.pth", new byte[0])).hasMessageContaining("too short");
    refuses(file("bare.pth", latin("\u0080\2}."))).hasMessageContaining("bare pickle");
  }

  @Test
  void refusesTensorsThatReachBeyondTheirStorage() {
    assertThat(tensor("K\0", "K\2K\2\u0086", "K\2K\1\u0086")).isNull();
    for (String[] wrong :
        new String[][] {
          {"K\1", "K\2K\2\u0086", "K\2K\1\u0086"},
          {"K\0", "K\2K\2\u0086", "K\3K\1\u0086"},
          {"K\0", "K\5\u0085", "K\1\u0085"},
          {"K\0", "K\2K\2\u0086", "K\1\u0085"},
          {"J\u00ff\u00ff\u00ff\u00ff", "K\2\u0085", "K\1\u0085"},
          {"K\0", "K\2\u0085", "J\u00ff\u00ff\u00ff\u00ff\u0085"},
          {"K\0", "J\u00ff\u00ff\u00ff\u00ff\u0085", "K\1\u0085"},
          {"K\0", "\u008a\10\0\0\0\0\0\0\0\100\u008a\10\0\0\0\0\0\0\0\100\u0086", "K\0K\0\u0086"},
          {"K\0", "\u008a\10\0\0\0\0\0\1\0\0\u0085", "K\0\u0085"},
          {"K\0", "K\2\u0085", "\u008a\10\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\177\u0085"}
        }) {
      assertThat(tensor(wrong)).as(Arrays.toString(wrong)).contains("stride");
    }
  }

  /** What is wrong with a tensor of that offset, size and stride over four numbers; null if nothing is. */
  private String tensor(String... view) {
    String pickle = "}X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE.substring(1) + view[0] + view[1] + view[2]
        + "\u0089ccollections\nOrderedDict\n)RtRs.";
    try (TensorFile file = TensorFile.open(torch(pickle))) {
      assertThat(file.tensors().get("w").floats()).hasSize(4);
      return null;
    } catch (CheckpointException e) {
      return e.getMessage();
    }
  }

  @Test
  void refusesDamageInsideThePickle() {
    String list = "(".repeat(3);
    for (String pickle :
        List.of(
            "", ".", "N", "NN.", "(.", "0.", "u.", "a.", "]a.", "N)a.", "}Nu.", "}(NuN", "Nt.", "h\1.", "j\1\0\0\0.",
            "K", "M\1", "J\1\1", "q\0.", "Na.", "N}b.", "NNs.", "}K\1s.", "N\u0093.", "R.", "NR.", ")R.", "NQ.", ")Q.",
            "\u0080\11.", "\u0080\1.", "I1\n.", "P1\n.", "\u0082\1.", "\u0097.", "X\1\0\0\0\u00ff.",
            "X\u00ff\u00ff\u00ff\u00ff.", "T\u00ff\u00ff\u00ff\177.", "\u008d\0\0\0\0\0\0\0\1.",
            "\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff.", "\u008e\0\0\0\200\0\0\0\0.",
            "\u008b\u00ff\u00ff\u00ff\177.", "\u008b\u00ff\u00ff\u00ff\u00ff.", "\u0095\u00ff\0\0\0\0\0\0\0.",
            "ctorch\nFloatStorage\n)R.", "ctorch._utils\n_rebuild_tensor_v2\n)R.",
            "ctorch._utils\n_rebuild_parameter\n)R.", "ccollections\nOrderedDict\n(NtR.", "cos\n", list + "u.")) {
      refuses(torch(pickle));
    }
  }

  @Test
  void survivesBombs() {
    refuses(torch("(".repeat(1_500_000) + ".")).hasMessageContaining("nests more than");
    refuses(torch("]".repeat(1_500_000) + ".")).hasMessageContaining("more than");
    refuses(torch("]" + "]".repeat(900_000) + "a".repeat(900_000) + ".")).hasMessageContaining("no dictionary");
    refuses(torch("}" + "\u0094".repeat(1_500_000) + ".")).hasMessageContaining("remembers more than");
    refuses(torch("N0".repeat(3_000_000) + ".")).hasMessageContaining("operations");
    // A list that holds itself, as a dictionary's key.
    refuses(torch("]q\0h\0a0}h\0Ns.")).hasMessageContaining("no weights");
    // Each list holds the one before ten times: small here, 10^100 elements for whoever walks through it.
    StringBuilder laughs = new StringBuilder("]q\0");
    for (int i = 0; i < 100; i++) {
      laughs.append("](").append("h").append((char) i).append("h").append((char) i).append("eq").append((char) (i + 1));
    }
    refuses(torch("}X\1\0\0\0x" + laughs + "0".repeat(100) + "s.")).hasMessageContaining("no weights");
  }

  @Test
  void refusesArchivesThatPyTorchDoesNotWrite() throws IOException {
    Path good = folder.resolve("module.pth");
    byte[] bytes = Files.readAllBytes(good);
    for (int keep : new int[] {4, 30, 1000, bytes.length / 2, bytes.length - 1, bytes.length - 30}) {
      refuses(file("cut.pth", Arrays.copyOf(bytes, keep)));
    }
    refuses(zip(Map.of("a/data.pkl", latin("\u0080\2}.")), ZipEntry.DEFLATED)).hasMessageContaining("compressed");
    refuses(zip(Map.of("a/data.pkl", latin("\u0080\2}."), "../../etc/passwd", new byte[1]), ZipEntry.STORED))
        .hasMessageContaining("never writes");
    refuses(zip(Map.of("a/data.pkl", latin("\u0080\2}."), "/etc/passwd", new byte[1]), ZipEntry.STORED))
        .hasMessageContaining("never writes");
    refuses(zip(Map.of("a/b.txt", new byte[1]), ZipEntry.STORED)).hasMessageContaining("0 entries called data.pkl");
    refuses(zip(Map.of("a/data.pkl", new byte[1], "b/data.pkl", new byte[1]), ZipEntry.STORED))
        .hasMessageContaining("2 entries called data.pkl");
    refuses(torch("}X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n("
            + STORAGE.substring(1).replace("0X\3", "1X\3") + "K\0K\2\u0085K\1\u0085\u0089NtRs."))
        .hasMessageContaining("storage 1 are missing");
    refuses(torch("}X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n("
            + STORAGE.substring(1).replace("K\4", "K\5") + "K\0K\2\u0085K\1\u0085\u0089NtRs."))
        .hasMessageContaining("fewer than the 5");
  }

  @Test
  void readsNumbersOfEitherByteOrder() throws IOException {
    byte[] pickle = latin("\u0080\2}X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE.substring(1)
        + "K\1K\2\u0085K\1\u0085\u0089NtRs.");
    byte[] big = ByteBuffer.allocate(16).putFloat(1).putFloat(2).putFloat(3).putFloat(4).array();
    Path path =
        zip(Map.of("a/data.pkl", pickle, "a/data/0", big, "a/byteorder", latin("big")), ZipEntry.STORED);
    try (TensorFile file = TensorFile.open(path)) {
      assertThat(file.tensors().get("w").floats()).containsExactly(2, 3);
    }
  }

  @Test
  void seesThatNumbersWereAltered() throws IOException {
    byte[] bytes = Files.readAllBytes(torch(view()));
    int place = indexOf(bytes, ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(3).array());
    bytes[place] ^= 1;
    try (TensorFile file = TensorFile.open(file("altered.pth", bytes))) {
      assertThatThrownBy(() -> file.tensors().get("w").floats())
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("checksum");
    }
  }

  private static String view() {
    return "}X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE.substring(1) + "K\0K\4\u0085K\1\u0085\u0089NtRs.";
  }

  @Test
  void refusesBadSafetensorsBeforeAllocating() {
    refuses(safetensors(3L << 30, "{}", 0)).hasMessageContaining("3221225472 bytes");
    refuses(safetensors(-1, "{}", 0)).hasMessageContaining("18446744073709551615 bytes");
    refuses(safetensors(1000, "{}", 0)).hasMessageContaining("cut short");
    refuses(safetensors("[]", 0)).hasMessageContaining("no JSON object");
    refuses(safetensors("{\"a\"", 0)).hasMessageContaining("not valid JSON");
    refuses(safetensors("[".repeat(100_000), 0)).hasMessageContaining("not valid JSON");
    refuses(safetensors("{\"a\":1,\"a\":1}", 0)).hasMessageContaining("not valid JSON");
    String entry = "{\"a\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%s]}}";
    refuses(safetensors(entry.formatted("F32", "2", "0,8"), 4)).hasMessageContaining("cut short");
    refuses(safetensors(entry.formatted("F32", "2", "0,4"), 8)).hasMessageContaining("stride");
    refuses(safetensors(entry.formatted("F32", "1", "0,8"), 8)).hasMessageContaining("its shape needs");
    refuses(safetensors(entry.formatted("F31", "2", "0,8"), 8)).hasMessageContaining("F31");
    refuses(safetensors(entry.formatted("F32", "-2", "0,8"), 8)).hasMessageContaining("no whole number");
    refuses(safetensors(entry.formatted("F32", "2.5", "0,8"), 8)).hasMessageContaining("no whole number");
    refuses(safetensors(entry.formatted("F32", "9223372036854775807,9223372036854775807", "0,8"), 8));
    refuses(safetensors(entry.formatted("F32", "2", "8,0"), 8)).hasMessageContaining("bytes 8 to 0");
    refuses(safetensors(entry.formatted("F32", "2", "0"), 8)).hasMessageContaining("no place");
  }

  @Test
  void aWrittenSafetensorsFileReadsBackBitForBit() throws IOException {
    float[] values = {1, -0f, Float.MIN_VALUE, Float.intBitsToFloat(0x7fc12345), 3e38f, 7};
    Path path = scratch.resolve("w.safetensors");
    SafetensorsWriter.write(
        path,
        List.of(
            new SafetensorsWriter.Item("a", new long[] {2, 3}, () -> values),
            new SafetensorsWriter.Item("none", new long[] {0}, () -> new float[0])),
        Map.of("config", "é\"x"));
    try (TensorFile file = TensorFile.open(path)) {
      float[] read = file.tensors().get("a").floats();
      for (int i = 0; i < read.length; i++) {
        assertThat(Float.floatToRawIntBits(read[i])).isEqualTo(Float.floatToRawIntBits(values[i]));
      }
      assertThat(file.tensors().get("none").shape()).containsExactly(0);
      assertThat(file.settings()).containsEntry("config", "é\"x");
    }
  }

  /** Whatever is changed in a file, it is read or refused; nothing else happens. */
  @Test
  void flippedBytesAreReadOrRefused() throws IOException {
    Random random = new Random(20230731);
    byte[] archive = Files.readAllBytes(folder.resolve("module.pth"));
    byte[] pickle = pickleOf(folder.resolve("protocol2.pth"));
    Path out = scratch.resolve("flipped.pth");
    int refused = 0;
    for (int i = 0; i < 600; i++) {
      byte[] changed = (i % 2 == 0 ? archive : pickle).clone();
      for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
        changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
      }
      if (i % 2 == 0) {
        Files.write(out, changed);
      } else {
        Files.copy(zip(Map.of("a/data.pkl", changed, "a/data/0", new byte[64]), ZipEntry.STORED), out,
            StandardCopyOption.REPLACE_EXISTING);
      }
      try (TensorFile file = TensorFile.open(out)) {
        file.tensors().values().stream().filter(tensor -> tensor.type().isReal()).forEach(StoredTensor::floats);
      } catch (CheckpointException e) {
        refused++;
      }
    }
    assertThat(refused).isBetween(100, 600);
  }

  private static byte[] pickleOf(Path file) throws IOException {
    try (ZipFile zip = new ZipFile(file.toFile())) {
      return zip.getInputStream(zip.getEntry("protocol2/data.pkl")).readAllBytes();
    }
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> refuses(Path path) {
    return assertThatThrownBy(() -> TensorFile.open(path).close())
        .isInstanceOf(CheckpointException.class)
        .satisfies(e -> assertThat(e.getMessage()).endsWith(".").doesNotContain("\n").hasSizeLessThan(600));
  }

  /** A file as torch.save makes it, with the storage "0" of four floats 1 to 4. */
  private Path torch(String pickle) {
    byte[] numbers =
        ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putFloat(1).putFloat(2).putFloat(3).putFloat(4).array();
    return zip(Map.of("a/data.pkl", latin("\u0080\2" + pickle), "a/data/0", numbers), ZipEntry.STORED);
  }

  private Path zip(Map<String, byte[]> entries, int method) {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
        for (Map.Entry<String, byte[]> content : entries.entrySet()) {
          ZipEntry entry = new ZipEntry(content.getKey());
          CRC32 crc = new CRC32();
          crc.update(content.getValue());
          entry.setMethod(method);
          entry.setSize(content.getValue().length);
          entry.setCrc(crc.getValue());
          zip.putNextEntry(entry);
          zip.write(content.getValue());
        }
      }
      return file("made.pth", bytes.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path safetensors(String header, int dataBytes) {
    return safetensors(header.length(), header, dataBytes);
  }

  private Path safetensors(long headerBytes, String header, int dataBytes) {
    ByteBuffer bytes = ByteBuffer.allocate(8 + header.length() + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(headerBytes).put(latin(header));
    return file("made.safetensors", bytes.array());
  }

  private Path file(String name, byte[] bytes) {
    try {
      return Files.write(scratch.resolve(name), bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] latin(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static int indexOf(byte[] bytes, byte[] wanted) {
    for (int i = 0; i <= bytes.length - wanted.length; i++) {
      if (Arrays.equals(bytes, i, i + wanted.length, wanted, 0, wanted.length)) {
        return i;
      }
    }
    throw new IllegalArgumentException("not there");
  }
}
