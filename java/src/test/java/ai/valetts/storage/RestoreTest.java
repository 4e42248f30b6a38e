package ai.valetts.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.config.StorageConfig;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.storage.StorageException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestoreTest {
  @TempDir private Path root;
  private final VirtualClock clock = new VirtualClock();
  private final FaultyFiles drive = new FaultyFiles(clock, new Random(1));
  private final List<String> notices = new ArrayList<>();

  @BeforeEach
  void copyTwo() throws IOException {
    Path run = root.resolve("runs/toy");
    StorageConfig config = new StorageConfig("drive", null, null, 0.0, null, null, null, null, null);
    CheckpointSync sync =
        new CheckpointSync("toy", run, config, () -> new FolderStore(drive), ToyCheckpoints::check, notice -> {},
            clock, new Random(3));
    for (long step = 1; step <= 2; step++) {
      sync.listener().on(new CheckpointSaved(step, ToyCheckpoints.write(run, step), 1));
      clock.advance(Duration.ofMinutes(1));
      while (sync.workOnce() != null) {
        clock.advance(Duration.ofSeconds(1));
      }
    }
  }

  private Restore.Restored pull(Path folder) {
    return new Restore(new GenerationStore(new FolderStore(drive)), ToyCheckpoints::check, notices::add).into(folder);
  }

  private String blob(long step, String part) {
    return drive.content().keySet().stream()
        .filter(name -> name.contains("s%08d".formatted(step)) && name.contains(part))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void survivesEveryDamageToAnyFileOfTheNewestGeneration() {
    Map<String, byte[]> whole = drive.content();
    Random random = new Random(5);
    int cases = 0;
    for (String name : whole.keySet().stream().filter(n -> n.contains("s00000002")).toList()) {
      byte[] content = whole.get(name);
      for (int i = 0; i < 12; i++) {
        byte[] damaged = content.clone();
        int from = random.nextInt(content.length);
        switch (i % 4) {
          case 0 -> damaged = Arrays.copyOf(content, from);
          case 1 -> damaged[from] ^= (byte) (1 << random.nextInt(8));
          case 2 -> damaged = new byte[0];
          default -> damaged = Arrays.copyOf(content, content.length + 1 + from);
        }
        drive.replace(name, damaged);
        notices.clear();
        Path folder = root.resolve("case-" + cases++);
        Restore.Restored restored = pull(folder);
        assertThat(restored.generation().step()).as(name + " " + i).isEqualTo(1);
        assertThat(restored.rejected()).hasSize(1);
        assertThat(notices).anyMatch(text -> text.startsWith("Passed over") && text.contains("step 2"));
        ToyCheckpoints.check(folder.resolve("checkpoints/step-00000001"));
        assertThat(folder.resolve("checkpoints/step-00000002")).doesNotExist();
      }
      drive.replace(name, content);
    }
    assertThat(cases).isGreaterThan(50);
    assertThat(pull(root.resolve("whole")).generation().step()).isEqualTo(2);
  }

  @Test
  void filesThatAreMissingOrSwappedAreFoundOut() {
    String generator = blob(2, "generator");
    byte[] content = drive.content().get(generator);
    drive.replace(generator, drive.content().get(blob(2, "optimizer")));
    assertThat(pull(root.resolve("swapped")).generation().step()).isEqualTo(1);
    drive.remove(generator);
    assertThat(pull(root.resolve("missing")).rejected().get(0).reason()).contains(generator);
    drive.replace(generator, content);
    drive.remove(blob(2, "generation.json"));
    assertThat(pull(root.resolve("without-manifest")).generation().step()).isEqualTo(1);
  }

  @Test
  void saysThatNothingVerifies() {
    drive.content().keySet().stream().filter(name -> name.endsWith("manifest.json")).forEach(drive::remove);
    assertThatThrownBy(() -> pull(root.resolve("none")))
        .isInstanceOfSatisfying(StorageException.class, e -> assertThat(e.kind()).isEqualTo(Kind.MISSING))
        .hasMessageContaining("2 were tried");
    assertThat(root.resolve("none")).doesNotExist();
    assertThat(root.resolve("none.pulling")).doesNotExist();
  }

  @Test
  void neverTouchesALocalRunThatIsNewer() throws IOException {
    Path run = root.resolve("back");
    pull(run);
    ToyCheckpoints.write(run, 3);
    assertThatThrownBy(() -> pull(run)).hasMessageContaining("is at step 3, newer than step 2");
    Files.write(run.resolve("checkpoints/step-00000003/generator.safetensors"), new byte[5]);
    assertThat(pull(run).fetched()).as("a damaged newer one does not count").isFalse();
    assertThat(run.resolve("checkpoints/step-00000003")).exists();
  }

  @Test
  void bringsAnOlderLocalRunUpToDate() throws IOException {
    Path run = root.resolve("back");
    pull(run);
    ToyCheckpoints.delete(run.resolve("checkpoints/step-00000002"));
    ToyCheckpoints.write(run, 1);
    assertThat(pull(run).fetched()).isTrue();
    ToyCheckpoints.check(run.resolve("checkpoints/step-00000002"));
    ToyCheckpoints.check(run.resolve("checkpoints/step-00000001"));
  }

  @Test
  void neverMixesTwoRunsOfOneName() throws IOException {
    Path other = root.resolve("other");
    ToyCheckpoints.write(other, 1);
    assertThatThrownBy(() -> pull(other)).hasMessageContaining("holds another run of that name");
    assertThat(other.resolve("checkpoints/step-00000002")).doesNotExist();
  }

  @Test
  void aDiskThatCannotBeWrittenLeavesNothingBehind() throws IOException {
    Path file = Files.writeString(root.resolve("file"), "in the way");
    assertThatThrownBy(() -> pull(file.resolve("run")))
        .isInstanceOfSatisfying(StorageException.class, e -> assertThat(e.kind()).isEqualTo(Kind.LOCAL))
        .hasMessageContaining("What lies in the store is untouched");
    assertThat(file).content().isEqualTo("in the way");
    assertThat(pull(root.resolve("elsewhere")).generation().step()).isEqualTo(2);
  }

  @Test
  void anEmptyFolderIsNoRun() throws IOException {
    Path run = Files.createDirectories(root.resolve("empty"));
    pull(run);
    ToyCheckpoints.check(run.resolve("checkpoints/step-00000002"));
    assertThat(run.resolve("config.yaml")).exists();
    assertThat(root.resolve("empty.pulling")).doesNotExist();
  }

  @Test
  void refusesToWriteBelowADriveThatIsNotMounted() throws IOException {
    Path mounts = Files.writeString(root.resolve("mounts"), "overlay / overlay rw 0 0\n");
    Path folder = Path.of("/content/drive/MyDrive/valetts");
    assertThat(LocalFiles.isUnmountedDrive(folder, mounts)).isTrue();
    Files.writeString(mounts, "drive /content/drive fuse.drive rw 0 0\n");
    assertThat(LocalFiles.isUnmountedDrive(folder, mounts)).isFalse();
    assertThat(LocalFiles.isUnmountedDrive(root, mounts)).isFalse();
    FolderStore store = new FolderStore(root.resolve("gone/valetts"), "toy");
    assertThatThrownBy(store::list).hasMessageContaining("is the drive mounted?");
    assertThat(root.resolve("gone")).doesNotExist();
  }
}
