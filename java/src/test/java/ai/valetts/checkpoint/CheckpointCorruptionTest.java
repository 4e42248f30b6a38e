package ai.valetts.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever happens to a checkpoint's bytes is noticed, named, and survived through the one before it. */
class CheckpointCorruptionTest {
  private static final int CASES = 200;
  private static final List<String> TENSORS =
      List.of("generator.safetensors", "discriminators.safetensors", "optimizers.safetensors");
  private static final List<String> FILES =
      Stream.concat(TENSORS.stream(), Stream.of("config.yaml", "symbols.json", "manifest.json")).toList();

  @TempDir private Path root;

  /** What happens to the newest checkpoint; returns the files one of which must be named. */
  private interface Damage {
    List<String> to(Path checkpoint, Random random) throws IOException;
  }

  private static final Map<String, Damage> DAMAGES =
      Map.ofEntries(
          Map.entry("truncate", (checkpoint, random) -> changed(checkpoint, random, bytes ->
              Arrays.copyOf(bytes, random.nextInt(bytes.length)))),
          Map.entry("empty", (checkpoint, random) -> changed(checkpoint, random, bytes -> new byte[0])),
          Map.entry("flip a bit", (checkpoint, random) -> changed(checkpoint, random, bytes -> {
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            return bytes;
          })),
          Map.entry("overwrite a range", (checkpoint, random) -> changed(checkpoint, random, bytes -> {
            int from = random.nextInt(bytes.length);
            int to = from + 1 + random.nextInt(bytes.length - from);
            for (int i = from; i < to; i++) {
              bytes[i] = (byte) (bytes[i] + 1 + random.nextInt(255));
            }
            return bytes;
          })),
          Map.entry("zero the end", (checkpoint, random) -> changed(checkpoint, random, bytes -> {
            Arrays.fill(bytes, bytes.length - 1 - random.nextInt(bytes.length - 1), bytes.length, (byte) 0);
            return bytes;
          })),
          Map.entry("extra bytes", (checkpoint, random) -> changed(checkpoint, random, bytes -> {
            byte[] longer = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(600));
            Arrays.fill(longer, bytes.length, longer.length, (byte) " \n\0{".charAt(random.nextInt(4)));
            return longer;
          })),
          Map.entry("a piece left out", (checkpoint, random) -> changed(checkpoint, random, bytes -> {
            int from = random.nextInt(bytes.length);
            int length = 1 + random.nextInt(bytes.length - from);
            byte[] shorter = Arrays.copyOf(bytes, bytes.length - length);
            System.arraycopy(bytes, from + length, shorter, from, bytes.length - from - length);
            return shorter;
          })),
          Map.entry("missing", (checkpoint, random) -> {
            String name = any(FILES, random);
            Files.delete(checkpoint.resolve(name));
            return List.of(name);
          }),
          Map.entry("swap two files", (checkpoint, random) -> {
            List<String> two = new ArrayList<>(FILES);
            java.util.Collections.shuffle(two, random);
            Path first = checkpoint.resolve(two.get(0));
            Path second = checkpoint.resolve(two.get(1));
            Path between = checkpoint.resolve("between");
            Files.move(first, between);
            Files.move(second, first);
            Files.move(between, second);
            return two.subList(0, 2);
          }),
          Map.entry("a file of the checkpoint before", (checkpoint, random) -> {
            String name = any(List.of(TENSORS.get(0), TENSORS.get(1), TENSORS.get(2), "manifest.json"), random);
            Path before = checkpoint.resolveSibling("step-00000010");
            Files.write(checkpoint.resolve(name), Files.readAllBytes(before.resolve(name)));
            return name.equals("manifest.json") ? FILES : List.of(name);
          }),
          Map.entry("manifest edited", (checkpoint, random) -> {
            Path manifest = checkpoint.resolve("manifest.json");
            String text = Files.readString(manifest);
            List<String[]> edits = List.of(
                new String[] {"\"step\" : 20", "\"step\" : 21"},
                new String[] {"\"epoch\" : 1", "\"epoch\" : 0"},
                new String[] {"\"seed\" : 7", "\"seed\" : 8"},
                new String[] {"\"formatVersion\" : 2", "\"formatVersion\" : 1"},
                new String[] {"\"formatVersion\" : 2", "\"formatVersion\" : 3"},
                new String[] {"{", "{ "},
                new String[] {"\"files\" : [", "\"files\" : [ ], \"more\" : ["});
            String[] edit = edits.get(random.nextInt(edits.size()));
            assertThat(text).contains(edit[0]);
            Files.writeString(manifest, text.replace(edit[0], edit[1]));
            return List.of("manifest.json");
          }),
          Map.entry("a folder in place of a file", (checkpoint, random) -> {
            String name = any(FILES, random);
            Files.delete(checkpoint.resolve(name));
            Files.createDirectory(checkpoint.resolve(name));
            return List.of(name);
          }));

  private interface Change {
    byte[] of(byte[] bytes);
  }

  @Test
  void everyDamageIsNoticedNamedAndSurvivedThroughThePreviousCheckpoint() throws IOException {
    List<String> kinds = DAMAGES.keySet().stream().sorted().toList();
    for (int seed = 0; seed < CASES; seed++) {
      Random random = new Random(seed);
      Path run = root.resolve("run-" + seed);
      CheckpointStore store = store(run, new ArrayList<>());
      store.save(state(10), new RunIdentity(7, 2, "cpu", "abc"), tensors(random));
      Path newest = store.save(state(20), new RunIdentity(7, 2, "cpu", "abc"), tensors(random)).directory();
      String kind = kinds.get(seed % kinds.size());
      List<String> damaged = DAMAGES.get(kind).to(newest, random);

      String description = "seed " + seed + ", " + kind + ", " + damaged;
      assertThatThrownBy(() -> CheckpointStore.open(newest)).as(description).isInstanceOf(CheckpointException.class);
      List<String> notices = new ArrayList<>();
      assertThat(store(run, notices).newest().orElseThrow().state()).as(description).isEqualTo(state(10));
      assertThat(notices).as(description).singleElement().satisfies(notice -> {
        assertThat(notice).contains(newest.toString());
        assertThat(damaged).anyMatch(notice::contains);
        assertThat(notice).containsAnyOf("is missing", "bytes instead of", "SHA-256 differs", "is empty", "cut short or altered",
            "cannot be read", "states no format", "not what its name says");
      });

      // The run goes on from there: what is damaged is replaced, and the sound one stays until then.
      store.save(state(20), new RunIdentity(7, 2, "cpu", "abc"), tensors(random));
      assertThat(store(run, new ArrayList<>()).newest().orElseThrow().state()).isEqualTo(state(20));
      assertThat(run.resolve("step-00000010")).exists();
    }
  }

  private static CheckpointStore store(Path run, List<String> notices) {
    Map<String, byte[]> companions =
        Map.of(
            "config.yaml", "name: test".getBytes(StandardCharsets.UTF_8),
            "symbols.json", "[\"a\", \"b\"]".getBytes(StandardCharsets.UTF_8));
    return new CheckpointStore(run, 2, companions, notices::add);
  }

  private static TrainState state(long step) {
    return new TrainState(step, 1, 3, 12.5, 0, 1.5, 0.25, 0.75, 0.5, 3);
  }

  private static CheckpointStore.TensorWriter tensors(Random random) {
    return directory -> {
      for (String name : TENSORS) {
        byte[] bytes = new byte[500 + random.nextInt(3000)];
        random.nextBytes(bytes);
        try {
          Files.write(directory.resolve(name), bytes);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    };
  }

  private static List<String> changed(Path checkpoint, Random random, Change change) throws IOException {
    String name = any(FILES, random);
    Path file = checkpoint.resolve(name);
    byte[] before = Files.readAllBytes(file);
    byte[] after = change.of(before.clone());
    assertThat(after).isNotEqualTo(before);
    Files.write(file, after);
    return List.of(name);
  }

  private static <T> T any(List<T> list, Random random) {
    return list.get(random.nextInt(list.size()));
  }
}
