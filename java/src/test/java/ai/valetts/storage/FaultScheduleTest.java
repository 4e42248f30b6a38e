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
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Hours of training beside a drive that does everything wrong, on a virtual clock; the code above it is the real one. */
class FaultScheduleTest {
  private static final Duration BETWEEN_CHECKPOINTS = Duration.ofMinutes(5);

  @TempDir private Path root;
  private final VirtualClock clock = new VirtualClock();
  private final List<String> notices = new ArrayList<>();
  private long acknowledged = -1;

  static IntStream seeds() {
    return IntStream.range(0, 100);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void losesNothingThatWasAcknowledged(int seed) throws IOException {
    Random random = new Random(seed);
    FaultyFiles drive = new FaultyFiles(clock, random);
    drive.faultRate = 0.05 + 0.45 * random.nextDouble();
    drive.killRate = seed % 3 == 0 ? 0.02 : 0;
    if (seed % 4 == 1) {
      drive.capacityBytes = 6_000 + random.nextInt(6_000);
    }
    Path run = root.resolve("runs/toy");
    CheckpointSync sync = begin(run, drive, random, false);
    List<Path> kept = new ArrayList<>();
    for (int step = 100; step <= 800; step += 100) {
      kept.add(ToyCheckpoints.write(run, step));
      drive.forbidden = true;
      sync.listener().on(new CheckpointSaved(step, kept.get(kept.size() - 1), 1_000));
      drive.forbidden = false;
      while (kept.size() > 2) {
        ToyCheckpoints.delete(kept.remove(0));
      }
      sync = work(sync, run, drive, random, clock.instant().plus(BETWEEN_CHECKPOINTS));
      if (random.nextInt(4) == 0) {
        pullsWhatWasAcknowledged(drive, "after-" + step);
      }
    }
    pullsWhatWasAcknowledged(drive, "end");

    drive.faultRate = 0;
    drive.killRate = 0;
    drive.capacityBytes = Long.MAX_VALUE;
    for (int step = 900; step <= 1_000; step += 100) {
      sync.listener().on(new CheckpointSaved(step, ToyCheckpoints.write(run, step), 1_000));
      sync = work(sync, run, drive, random, clock.instant().plus(Duration.ofMinutes(30)));
      assertThat(acknowledged).as("a drive that works again").isEqualTo(step);
    }
    drive.disconnect();
    GenerationStore store = new GenerationStore(new FolderStore(drive));
    List<Generation> generations = store.contents().generations();
    assertThat(generations).hasSize(2).extracting(Generation::step).containsExactly(1_000L, 900L);
    generations.forEach(store::verify);
    assertThat(drive.wasWrittenTwice()).as("names are never used again").isFalse();
    assertThat(drive.faults).isPositive();
  }

  private CheckpointSync begin(Path run, FaultyFiles drive, Random random, boolean resumed) throws IOException {
    Files.createDirectories(run);
    StorageConfig config = new StorageConfig("drive", 2, null, 20.0, null, null, null, null, null);
    CheckpointSync sync =
        new CheckpointSync("toy", run, config, () -> new FolderStore(drive), ToyCheckpoints::check,
            (Notice notice) -> notices.add(notice.text()), clock, random);
    sync.listener().on(new RunStarted("toy", 0, resumed, "cpu", ""));
    return sync;
  }

  /** The copying thread until a moment; when it is killed, a new process takes over. */
  private CheckpointSync work(CheckpointSync started, Path run, FaultyFiles drive, Random random, Instant until)
      throws IOException {
    CheckpointSync sync = started;
    while (clock.instant().isBefore(until)) {
      try {
        Duration wait = sync.workOnce();
        sync.acknowledgedStep().ifPresent(step -> acknowledged = Math.max(acknowledged, step));
        Duration left = Duration.between(clock.instant(), until);
        if (wait == null || wait.compareTo(left) > 0) {
          clock.advance(left.isNegative() ? Duration.ZERO : left);
        } else {
          clock.advance(wait.plusMillis(1));
        }
      } catch (FaultyFiles.Killed e) {
        sync = begin(run, drive, random, true);
      }
    }
    return sync;
  }

  /** On another machine: the newest acknowledged copy or a newer one, byte for byte. */
  private void pullsWhatWasAcknowledged(FaultyFiles drive, String folder) {
    if (acknowledged < 0) {
      return;
    }
    double faultRate = drive.faultRate;
    double killRate = drive.killRate;
    drive.faultRate = 0;
    drive.killRate = 0;
    drive.disconnect();
    Restore restore =
        new Restore(new GenerationStore(new FolderStore(drive)), ToyCheckpoints::check, notices::add);
    Restore.Restored restored = restore.into(root.resolve(folder));
    assertThat(restored.generation().step()).isGreaterThanOrEqualTo(acknowledged);
    ToyCheckpoints.check(restored.checkpoint());
    assertThat(root.resolve(folder)).isDirectoryContaining("glob:**/config.yaml");
    drive.faultRate = faultRate;
    drive.killRate = killRate;
  }
}
