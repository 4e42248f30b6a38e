package ai.valetts.storage;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.config.StorageConfig;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.Notice;
import ai.valetts.event.RunStarted;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class CheckpointSyncTest {
  @TempDir private Path root;
  private final VirtualClock clock = new VirtualClock();
  private final FaultyFiles drive = new FaultyFiles(clock, new Random(1));
  private final List<Notice> notices = Collections.synchronizedList(new ArrayList<>());
  private Path run;

  @BeforeEach
  void prepare() throws IOException {
    run = Files.createDirectories(root.resolve("runs/toy"));
    Files.createDirectories(root.resolve("drive"));
  }

  private CheckpointSync sync(StorageConfig config, BlobStore store) {
    return new CheckpointSync(
        "toy", run, config, () -> store, ToyCheckpoints::check, notices::add, clock, new Random(7));
  }

  private static StorageConfig config(Integer keep, Double maxGib) {
    return new StorageConfig("drive", keep, maxGib, 0.0, null, 0.005, null, null, null);
  }

  private void save(CheckpointSync sync, long step) throws IOException {
    Path directory = ToyCheckpoints.write(run, step);
    sync.listener().on(new CheckpointSaved(step, directory, 1_000));
  }

  /** Everything there is to do, as far as it can be done at once. */
  private Duration work(CheckpointSync sync) {
    Duration wait = sync.workOnce();
    while (wait != null && wait.isZero()) {
      wait = sync.workOnce();
    }
    return wait;
  }

  private List<Long> steps() {
    return new GenerationStore(new FolderStore(drive)).contents().generations().stream().map(Generation::step).toList();
  }

  @Test
  void aStoreThatHangsHoldsUpNobodyAndIsReported() throws Exception {
    CountDownLatch released = new CountDownLatch(1);
    BlobStore store = new TimedStore(new Hanging(new FolderStore(drive), released), Duration.ofMillis(2500), new AtomicInteger());
    CheckpointSync sync =
        new CheckpointSync("toy", run, config(null, null), () -> store, ToyCheckpoints::check, notices::add);
    sync.start();
    try {
      sync.listener().on(new RunStarted("toy", 0, false, "cpu", ""));
      long start = System.nanoTime();
      for (int step = 1; step <= 50; step++) {
        save(sync, step);
      }
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
      while (notices.isEmpty()) {
        Thread.sleep(5);
      }
      // The status is written after it was told.
      while (SyncStatus.of(run).filter(status -> status.state().equals("failing")).isEmpty()) {
        Thread.sleep(5);
      }
      assertThat(notices.get(0).level()).isEqualTo(Notice.Level.WARNING);
      assertThat(notices.get(0).text()).contains("CHECKPOINTS ARE NOT COPIED", "answer", "Training goes on");
      assertThat(SyncStatus.of(run)).get().satisfies(status -> {
        assertThat(status.state()).isEqualTo("failing");
        assertThat(status.problem()).contains("answer");
      });
    } finally {
      sync.close();
      released.countDown();
    }
    // What it still writes would come into the folder while that is deleted.
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals("valetts-storage")) {
        thread.join(20_000);
      }
    }
    assertThat(notices.get(notices.size() - 1).text()).contains("is NOT in drive yet", "valetts drive push");
  }

  @Test
  void givesTheLastCheckpointTimeWhenTheRunEnds() throws IOException {
    CheckpointSync sync =
        new CheckpointSync(
            "toy", run, new StorageConfig("drive", null, null, 30.0, null, 1.0, null, null, null),
            () -> new FolderStore(root.resolve("drive"), "toy"), ToyCheckpoints::check, notices::add);
    sync.start();
    sync.listener().on(new RunStarted("toy", 0, false, "cpu", ""));
    save(sync, 10);
    sync.close();
    assertThat(sync.acknowledgedStep()).hasValue(10);
    assertThat(notices).extracting(Notice::text).anyMatch(text -> text.contains("is verified"));
    assertThat(new FolderStore(root.resolve("drive"), "toy").list()).isNotEmpty();
  }

  @Test
  void theLastPageOfTheRunLiesBesideItsCopies() throws Exception {
    StorageConfig config = new StorageConfig("drive", null, null, 0.0, null, 1.0, null, null, null);
    FolderStore there = new FolderStore(root.resolve("drive"), "toy");
    CheckpointSync sync =
        new CheckpointSync(
            "toy", run, config, () -> new FolderStore(root.resolve("drive"), "toy"), ToyCheckpoints::check, notices::add);
    sync.start();
    sync.listener().on(new RunStarted("toy", 0, false, "cpu", ""));
    Files.writeString(run.resolve("report.html"), "while it went on");
    save(sync, 10);
    while (there.list().stream().noneMatch(blob -> blob.name().equals("report.html"))) {
      Thread.sleep(5);
    }
    Files.writeString(run.resolve("report.html"), "when it had ended");
    sync.close();
    assertThat(new String(there.read("report.html", 100))).isEqualTo("when it had ended");
    assertThat(notices).noneMatch(notice -> notice.level() == Notice.Level.WARNING);
    assertThat(new GenerationStore(there).contents().generations()).hasSize(1);
  }

  @Test
  void samplesAreNotPackedAgainAsThoseOfWeightsAndBiases() throws IOException {
    Files.createDirectories(run.resolve("wandb/offline-run-1/files"));
    Files.writeString(run.resolve("wandb/offline-run-1/files/sample.wav"), "sound");
    Files.writeString(run.resolve("metrics.jsonl"), "{}");
    RunFiles.pack(run, true, root.resolve("files.zip"));
    RunFiles.unpack(root.resolve("files.zip"), Files.createDirectories(root.resolve("restored")));
    assertThat(root.resolve("restored/metrics.jsonl")).exists();
    assertThat(root.resolve("restored/wandb")).doesNotExist();
  }

  @Test
  void copiesOnlyTheNewestWhenBehind() throws IOException {
    CheckpointSync sync = sync(config(null, null), new FolderStore(drive));
    for (long step = 1; step <= 5; step++) {
      save(sync, step);
    }
    work(sync);
    assertThat(steps()).containsExactly(5L);
    assertThat(run.resolve("outbox")).isDirectoryNotContaining("glob:**/step-*");
  }

  @Test
  void holdsACheckpointThatRetentionRemoves() throws IOException {
    CheckpointSync sync = sync(config(null, null), new FolderStore(drive));
    save(sync, 3);
    ToyCheckpoints.delete(run.resolve("checkpoints/step-00000003"));
    work(sync);
    assertThat(steps()).containsExactly(3L);
    assertThat(sync.acknowledgedStep()).hasValue(3);
  }

  @Test
  void keepsWhatIsConfiguredAndNeverFewerThanTwo() throws IOException {
    CheckpointSync three = sync(config(3, null), new FolderStore(drive));
    for (long step = 1; step <= 5; step++) {
      save(three, step);
      work(three);
    }
    assertThat(steps()).containsExactly(5L, 4L, 3L);
    CheckpointSync small = sync(config(3, 0.001 / 1024), new FolderStore(drive));
    save(small, 6);
    work(small);
    assertThat(steps()).containsExactly(6L, 5L);
  }

  @Test
  void leavesAnotherRunOfTheSameNameAlone() throws IOException {
    CheckpointSync first = sync(config(null, null), new FolderStore(drive));
    save(first, 900);
    work(first);
    run = Files.createDirectories(root.resolve("elsewhere/toy"));
    CheckpointSync second =
        new CheckpointSync("toy", run, config(null, null), () -> new FolderStore(drive), ToyCheckpoints::check,
            notices::add, clock, new Random(8));
    clock.advance(Duration.ofMinutes(1));
    for (long step = 1; step <= 4; step++) {
      save(second, step);
      work(second);
    }
    assertThat(steps()).containsExactly(4L, 3L, 900L);
    assertThat(notices).extracting(Notice::text)
        .anyMatch(text -> text.contains("another run named toy, up to step 900") && text.contains("--from-drive"));
  }

  @Test
  void doesNotCopyADamagedCheckpoint() throws IOException {
    CheckpointSync sync = sync(config(null, null), new FolderStore(drive));
    Path directory = ToyCheckpoints.write(run, 2);
    Files.write(directory.resolve("generator.safetensors"), new byte[] {1, 2, 3});
    sync.listener().on(new CheckpointSaved(2, directory, 3));
    work(sync);
    assertThat(drive.content()).isEmpty();
    assertThat(notices).extracting(Notice::text).anyMatch(text -> text.contains("step 2 was not copied"));
  }

  @Test
  void remindsOfAFullStoreAtGrowingIntervalsAndSaysWhenItWorksAgain() throws IOException {
    drive.capacityBytes = 100;
    CheckpointSync sync = sync(config(null, null), new FolderStore(drive));
    save(sync, 1);
    for (int minute = 0; minute < 60; minute++) {
      work(sync);
      clock.advance(Duration.ofMinutes(1));
    }
    assertThat(notices).extracting(Notice::text).allMatch(text -> text.contains("No space left on device"));
    assertThat(notices).hasSizeBetween(4, 6);
    assertThat(notices.get(2).text()).contains("for 20 minutes", "no copy has been verified yet");
    drive.capacityBytes = Long.MAX_VALUE;
    work(sync);
    assertThat(notices.get(notices.size() - 1).text()).contains("works again", "step 1");
    assertThat(SyncStatus.of(run)).get().satisfies(status -> {
      assertThat(status.verifiedStep()).isEqualTo(1);
      assertThat(status.problem()).isNull();
    });
  }

  @Test
  void aResumedRunCopiesWhatTheLastProcessCouldNot() throws IOException {
    ToyCheckpoints.write(run, 40);
    CheckpointSync sync = sync(config(null, null), new FolderStore(drive));
    sync.listener().on(new RunStarted("toy", 40, true, "cpu", ""));
    work(sync);
    assertThat(steps()).containsExactly(40L);
    CheckpointSync again = sync(config(null, null), new FolderStore(drive));
    again.listener().on(new RunStarted("toy", 40, true, "cpu", ""));
    work(again);
    assertThat(steps()).containsExactly(40L);
    assertThat(again.acknowledgedStep()).hasValue(40);
  }

  @Test
  void smallFilesOfTheRunTravelInOneArchive() throws IOException {
    Files.createDirectories(run.resolve("reports"));
    Files.writeString(run.resolve("reports/first.md"), "all well");
    Files.createDirectories(run.resolve("tensorboard"));
    Files.writeString(run.resolve("tensorboard/events"), "x");
    CheckpointSync sync = sync(config(null, null), new FolderStore(drive));
    save(sync, 1);
    work(sync);
    new Restore(new GenerationStore(new FolderStore(drive)), ToyCheckpoints::check, text -> {})
        .into(root.resolve("back"));
    assertThat(root.resolve("back/reports/first.md")).content().isEqualTo("all well");
    assertThat(root.resolve("back/metrics.jsonl")).content().contains("\"step\":1");
    assertThat(root.resolve("back/tensorboard")).doesNotExist();
    assertThat(root.resolve("back/storage.json")).doesNotExist();
    assertThat(root.resolve("back.pulling")).doesNotExist();
  }

  /** Never answers until released. */
  private record Hanging(BlobStore store, CountDownLatch released) implements BlobStore {
    private void hang() {
      boolean waiting = true;
      while (waiting) {
        try {
          released.await();
          waiting = false;
        } catch (InterruptedException e) {
          // A call stuck in a dead mount cannot be interrupted either.
        }
      }
    }

    @Override
    public String location() {
      return "drive";
    }

    @Override
    public List<Blob> list() {
      hang();
      return store.list();
    }

    @Override
    public List<String> folders() {
      hang();
      return store.folders();
    }

    @Override
    public void put(String name, Path source, FileDigest expected, Transfer transfer) {
      hang();
    }

    @Override
    public void verify(String name, FileDigest expected) {
      hang();
    }

    @Override
    public byte[] read(String name, int maxBytes) {
      hang();
      return store.read(name, maxBytes);
    }

    @Override
    public FileDigest get(String name, Path target, Transfer transfer) {
      hang();
      return store.get(name, target, transfer);
    }

    @Override
    public void delete(String name) {
      hang();
    }

    @Override
    public Space space() {
      hang();
      return Space.UNKNOWN;
    }

    @Override
    public void close() {
      hang();
    }
  }
}
