package ai.valetts.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.config.CheckpointConfig;
import ai.valetts.engine.EngineIoException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointStoreTest {
  private static final RunIdentity IDENTITY = new RunIdentity(7, 2, "cpu", "abc");
  private static final String TENSORS = "generator.safetensors";

  @TempDir private Path root;
  private final List<String> notices = new ArrayList<>();

  @Test
  void savesEverythingAndReadsItBack() throws IOException {
    TrainState state = new TrainState(123, 4, 5, 67.5, 1, 2.5, 0.25, 0.5, 0.375, 2);
    Checkpoint saved = store(3).save(state, IDENTITY, writing("weights"));

    assertThat(saved.directory()).isEqualTo(root.resolve("step-00000123"));
    Checkpoint read = store(3).newest().orElseThrow();
    assertThat(read.manifest()).isEqualTo(saved.manifest());
    assertThat(read.state()).isEqualTo(state);
    assertThat(read.manifest().identity()).isEqualTo(IDENTITY);
    assertThat(Files.readString(read.file("config.yaml"))).isEqualTo("name: test");
    assertThat(read.manifest().files()).extracting(Manifest.FileEntry::name).containsExactly("config.yaml", TENSORS);
    assertThat(read.bytes()).isEqualTo("name: test".length() + "weights".length());
  }

  @Test
  void keepsTheNewest() {
    CheckpointStore store = store(2);
    for (long step : new long[] {5, 10, 15, 100_000_000}) {
      store.save(at(step), IDENTITY, writing("w" + step));
    }
    assertThat(names()).containsExactly("step-00000015", "step-100000000");
    assertThat(store.newest().orElseThrow().state().step()).isEqualTo(100_000_000);
  }

  @Test
  void skipsATruncatedCheckpointWithANoticeAndTakesTheOneBefore() throws IOException {
    CheckpointStore store = store(5);
    store.save(at(1), IDENTITY, writing("good"));
    Checkpoint broken = store.save(at(2), IDENTITY, writing("will be cut in half"));
    Files.writeString(broken.file(TENSORS), "will be c");

    assertThat(store.newest().orElseThrow().state().step()).isEqualTo(1);
    assertThat(notices).singleElement().asString()
        .contains("step-00000002").contains(TENSORS).contains("9 bytes instead of 19");
  }

  @Test
  void refusesAnAlteredMissingOrManifestlessCheckpoint() throws IOException {
    CheckpointStore store = store(5);
    Path altered = store.save(at(1), IDENTITY, writing("12345")).directory();
    Files.writeString(altered.resolve(TENSORS), "12346");
    Path missing = store.save(at(2), IDENTITY, writing("x")).directory();
    Files.delete(missing.resolve("config.yaml"));
    Path manifestless = store.save(at(3), IDENTITY, writing("x")).directory();
    Files.delete(manifestless.resolve("manifest.json"));
    Path garbled = store.save(at(4), IDENTITY, writing("x")).directory();
    Files.writeString(garbled.resolve("manifest.json"), "{\"formatVersion\":1,");
    Path newer = store.save(at(5), IDENTITY, writing("x")).directory();
    Files.write(newer.resolve("manifest.json"), ofFormat(3, Manifest.read(newer)));

    assertRefused(altered, TENSORS, "SHA-256");
    assertRefused(missing, "config.yaml", "missing");
    assertRefused(manifestless, "manifest.json", "not complete");
    assertRefused(garbled, "manifest.json", "damaged");
    assertRefused(newer, "format 3", "newer valetts.jar");
    assertThat(store.newest()).isEmpty();
    assertThat(notices).hasSize(5);
    assertThat(CheckpointStore.anyIn(root)).isTrue();
  }

  @Test
  void aFailureWhileWritingLeavesNothingAndKeepsEarlierOnes() {
    CheckpointStore store = store(1);
    store.save(at(1), IDENTITY, writing("good"));
    assertThatThrownBy(() -> store.save(at(2), IDENTITY, directory -> {
          writing("half").writeInto(directory);
          throw new EngineIoException("generator.safetensors: No space left on device.");
        }))
        .isInstanceOf(CheckpointWriteException.class)
        .hasMessageContaining("step-00000002")
        .hasMessageContaining("No space left on device")
        .hasMessageContaining("MiB are free")
        .hasMessageContaining("Earlier checkpoints are intact");
    assertThat(names()).containsExactly("step-00000001");
    assertThat(store.newest().orElseThrow().state().step()).isEqualTo(1);
  }

  @Test
  void removesWhatAnInterruptedWriterLeftAndSaysSo() throws IOException {
    Path leftover = Files.createDirectories(root.resolve("step-00000009.tmp"));
    Files.writeString(leftover.resolve(TENSORS), "half");
    store(1);
    assertThat(leftover).doesNotExist();
    assertThat(notices).singleElement().asString().contains("step-00000009.tmp");
  }

  @Test
  void savingAgainAtAStepReplacesADamagedCheckpointOfIt() throws IOException {
    CheckpointStore store = store(3);
    Files.writeString(store.save(at(4), IDENTITY, writing("x")).file(TENSORS), "damaged");
    store.save(at(4), IDENTITY, writing("sound"));
    assertThat(store.newest().orElseThrow().file(TENSORS)).hasContent("sound");
  }

  @Test
  void readsWhatTheFormatBeforeWrote() throws IOException {
    Path old = store(3).save(at(7), IDENTITY, writing("weights")).directory();
    ObjectMapper json = new ObjectMapper();
    ObjectNode manifest = (ObjectNode) json.readTree(old.resolve("manifest.json").toFile());
    manifest.remove("sha256OfThisFile");
    ((ObjectNode) manifest.get("state")).remove(
        List.of("validationMelL1", "bestValidationMelL1", "validationsSinceBest"));
    manifest.put("formatVersion", 1);
    json.writeValue(old.resolve("manifest.json").toFile(), manifest);

    TrainState state = store(3).newest().orElseThrow().state();
    assertThat(state.step()).isEqualTo(7);
    assertThat(state.validationMelL1()).isNaN();
    assertThat(state.bestValidationMelL1()).isNaN();
    assertThat(state.validationsSinceBest()).isZero();

    manifest.put("sha256OfThisFile", "0".repeat(64));
    json.writeValue(old.resolve("manifest.json").toFile(), manifest);
    assertRefused(old, "manifest.json", "SHA-256");
  }

  @Test
  void aRenamedCheckpointIsNotWhatItsNameSays() throws IOException {
    CheckpointStore store = store(5);
    store.save(at(3), IDENTITY, writing("x"));
    Path renamed = Files.move(
        store.save(at(4), IDENTITY, writing("y")).directory(), root.resolve("step-00000009"));
    assertRefused(renamed, "manifest.json", "step 4");
    assertThat(store.newest().orElseThrow().state().step()).isEqualTo(3);
  }

  @Test
  void keepsTheBestAndTheMilestonesBesideTheNewest() {
    CheckpointStore store = store(new CheckpointConfig(null, null, 2, 1, 100L, null));
    double[] melL1 = {0.9, 0.9, 0.4, 0.4, 0.7, 0.6, 0.6, Double.NaN};
    for (int i = 0; i < melL1.length; i++) {
      store.save(at(30 * (i + 1)).withValidation(1, melL1[i]), IDENTITY, writing("w"));
    }
    // 90 follows the best validation directly, 120 and 210 are the first of their hundreds.
    assertThat(names()).containsExactly("step-00000090", "step-00000120", "step-00000210", "step-00000240");
  }

  @Test
  void theSizeBudgetTakesTheOldestButNeverTheTwoNewest() {
    CheckpointStore store = store(new CheckpointConfig(null, null, 5, 3, 10L, 0.000_005));
    for (int i = 1; i <= 6; i++) {
      store.save(at(10 * i).withValidation(1, i), IDENTITY, writing("w".repeat(1000)));
    }
    assertThat(names()).hasSizeBetween(2, 4).endsWith("step-00000050", "step-00000060");
    CheckpointStore smaller = store(new CheckpointConfig(null, null, 5, 3, 10L, 0.000_000_001));
    smaller.save(at(70), IDENTITY, writing("w".repeat(1000)));
    assertThat(names()).containsExactly("step-00000060", "step-00000070");
  }

  @Test
  void aDamagedCheckpointDoesNotCrowdOutASoundOne() throws IOException {
    CheckpointStore store = store(2);
    store.save(at(1), IDENTITY, writing("good"));
    Files.writeString(store.save(at(2), IDENTITY, writing("x")).file(TENSORS), "damaged");
    // Another process: it has read nothing back yet.
    CheckpointStore later = store(2);
    Checkpoint third = later.save(at(3), IDENTITY, writing("new"));
    Files.delete(third.file(TENSORS));
    assertThat(later.newest().orElseThrow().state().step()).isEqualTo(1);
  }

  @Test
  void nothingIsRemovedForACheckpointThatDoesNotReadBack() {
    CheckpointStore store = store(1);
    store.save(at(1), IDENTITY, writing("good"));
    assertThatThrownBy(() -> store.save(at(2), IDENTITY, directory -> {
          writing("x").writeInto(directory);
          try {
            Files.createDirectory(directory.resolve("not-a-file"));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        })).isInstanceOf(CheckpointWriteException.class);
    assertThat(names()).containsExactly("step-00000001");
  }

  @Test
  void goingBackRemovesTheAbandonedFuture() {
    CheckpointStore store = store(5);
    store.save(at(10), IDENTITY, writing("x"));
    store.save(at(20), IDENTITY, writing("x"));
    store.save(at(15), IDENTITY, writing("y"));
    assertThat(names()).containsExactly("step-00000010", "step-00000015");
  }

  @Test
  void saysWhenTheDirectoryCannotBeMade() throws IOException {
    Path file = Files.writeString(root.resolve("occupied"), "a file");
    assertThatThrownBy(() -> new CheckpointStore(file.resolve("checkpoints"), 1, Map.of(), notices::add))
        .isInstanceOf(CheckpointWriteException.class)
        .hasMessageContaining("cannot be written to");
  }

  @Test
  void anEmptyOrAbsentFolderHasNoCheckpoint() {
    assertThat(CheckpointStore.newest(root.resolve("absent"), notices::add)).isEmpty();
    assertThat(CheckpointStore.anyIn(root)).isFalse();
  }

  private void assertRefused(Path directory, String... parts) {
    assertThatThrownBy(() -> CheckpointStore.open(directory))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll(parts)
        .hasMessageContaining(directory.toString());
  }

  /** The same manifest as a program with another format would write it, its digest included. */
  private static byte[] ofFormat(int version, Manifest manifest) throws IOException {
    return new Manifest(version, manifest.state(), manifest.identity(), manifest.files()).toJson();
  }

  private CheckpointStore store(int keep) {
    return store(new CheckpointConfig(null, null, keep));
  }

  private CheckpointStore store(CheckpointConfig rules) {
    byte[] config = "name: test".getBytes(StandardCharsets.UTF_8);
    return new CheckpointStore(root, rules, Map.of("config.yaml", config), notices::add);
  }

  private static TrainState at(long step) {
    return new TrainState(step, 0, 0, 0, 0, 0, 0, Double.NaN, Double.NaN, 0);
  }

  private static CheckpointStore.TensorWriter writing(String content) {
    return directory -> {
      try {
        Files.writeString(directory.resolve(TENSORS), content);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    };
  }

  private List<String> names() {
    try (Stream<Path> files = Files.list(root)) {
      return files.map(path -> path.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
