package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.storage.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run whose machine disappears: real loop, checkpoints and copying with a fake engine. */
@Timeout(120)
class CopiesTest {
  @TempDir private Path root;
  private final FakeEngine engine = new FakeEngine();
  private final List<String> notices = Collections.synchronizedList(new ArrayList<>());
  private ValeTts valetts;
  private Path drive;
  private Path run;

  @BeforeEach
  void open() throws IOException {
    valetts = new ValeTts(root.resolve("cache"), notices::add, config -> List.of(), () -> engine, false);
    ToySpeech.folder(root.resolve("ana"), 12, 1);
    drive = Files.createDirectories(root.resolve("MyDrive")).resolve("valetts");
    run = root.resolve("runs/toy");
  }

  private RunResult train(int steps) {
    List<ConfigOverride> overrides =
        Stream.of(
                "name=toy", "data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]",
                "text.frontEnd=characters", "validation.everySteps=5", "validation.sentences=[bad dog]",
                "checkpoint.everySteps=5", "monitor.logEverySteps=1", "training.maxSteps=" + steps,
                "storage={location: " + drive + ", settleSeconds: 0}")
            .map(ConfigOverride::parse)
            .toList();
    return valetts.train(new TrainRequest(ConfigLoader.bundled("tiny", overrides), run, List.of()));
  }

  private RunResult resumeElsewhere(String location, int steps) {
    return valetts.resume(
        new ResumeRequest(
            root.resolve("elsewhere"), List.of(ConfigOverride.parse("training.maxSteps=" + steps)), true, location));
  }

  private DriveResult drive(DriveRequest.Action action, Path folder, String location) {
    return valetts.drive(new DriveRequest(action, folder, location, true, null, false, null, null));
  }

  @Test
  void anotherMachineGoesOnExactlyWhereTheLastCopyStood() throws IOException {
    train(30);
    List<Double> whole = engine.sessions.get(0).losses;
    deleteRun();
    deleteTree(drive);

    train(13);
    deleteRun();
    RunResult result = resumeElsewhere(drive.toString(), 30);

    assertThat(result.step()).isEqualTo(30);
    List<Double> joined = new ArrayList<>(engine.sessions.get(1).losses);
    joined.addAll(engine.sessions.get(2).losses);
    assertThat(joined).isEqualTo(whole);
    assertThat(notices).anyMatch(text -> text.contains("Step 13 is now in"));
    assertThat(drive(DriveRequest.Action.STATUS, null, drive.resolve("toy").toString()).lines())
        .anyMatch(line -> line.contains("30") && line.endsWith("verified"));
  }

  @Test
  void aDamagedCopyIsNamedAndTheOneBeforeItTaken() throws IOException {
    // Ended in between: a busy machine would copy the last of one run alone.
    train(5);
    train(13);
    deleteRun();
    Path damaged;
    try (Stream<Path> files = Files.list(drive.resolve("toy"))) {
      damaged = files.filter(file -> file.toString().matches(".*s00000013.*generator.*")).findFirst().orElseThrow();
    }
    Files.write(damaged, new byte[] {1});
    RunResult result = resumeElsewhere(drive.resolve("toy").toString(), 14);
    assertThat(result.step()).isEqualTo(14);
    assertThat(notices)
        .anyMatch(text -> text.startsWith("Passed over") && text.contains(damaged.getFileName().toString()))
        .anyMatch(text -> text.contains("is now in"));
    assertThat(ConfigLoader.load(root.resolve("elsewhere/config.yaml"), List.of()).storage().location())
        .isEqualTo(drive.toString());
  }

  @Test
  void pushesPullsTellsAndCleans() throws IOException {
    train(5);
    deleteTree(drive);
    assertThat(drive(DriveRequest.Action.PUSH, run, null).lines()).anyMatch(line -> line.contains("Step 5 is in"));
    DriveResult status = drive(DriveRequest.Action.STATUS, run, null);
    assertThat(status.good()).isTrue();
    assertThat(status.lines()).anyMatch(line -> line.contains("last verified copy: step 5"));
    Path pulled = root.resolve("pulled");
    drive(DriveRequest.Action.PULL, pulled, drive.toString());
    assertThat(pulled.resolve("checkpoints/step-00000005/generator.safetensors")).exists();
    assertThat(pulled.resolve("metrics.jsonl")).exists();
    assertThat(drive(DriveRequest.Action.CLEAN, run, null).lines()).anyMatch(line -> line.contains("Freed: 0 MiB"));
  }

  @Test
  void saysWhatItNeedsToKnow() throws IOException {
    assertThatThrownBy(() -> drive(DriveRequest.Action.STATUS, root.resolve("none"), null))
        .isInstanceOf(StorageException.class)
        .hasMessageContaining("names no place for copies");
    Files.createDirectories(drive.resolve("empty"));
    StorageException nothing =
        catchThrowableOfType(
            StorageException.class, () -> resumeElsewhere(drive.toString(), 1));
    assertThat(nothing).hasMessageContaining("holds no checkpoint that verifies");
    assertThat(ExitCode.of(nothing)).isEqualTo(ExitCode.STORAGE);
    train(5);
    Path one = drive.resolve("toy");
    try (Stream<Path> files = Files.list(one)) {
      for (Path file : files.toList()) {
        Files.copy(file, Files.createDirectories(drive.resolve("bia")).resolve(file.getFileName()));
      }
    }
    assertThatThrownBy(() -> resumeElsewhere(drive.toString(), 1)).hasMessageContaining("holds the runs bia, toy");
  }

  @Test
  void aDeadPlaceStopsNothing() {
    drive = root.resolve("unmounted/MyDrive/valetts");
    assertThat(trainWithoutPatience().step()).isEqualTo(6);
    assertThat(notices).anyMatch(text -> text.contains("is NOT in") && text.contains("valetts drive push"));
    assertThat(root.resolve("unmounted")).doesNotExist();
  }

  private RunResult trainWithoutPatience() {
    List<ConfigOverride> overrides =
        Stream.of(
                "name=toy", "data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]",
                "text.frontEnd=characters", "validation.sentences=[bad dog]", "checkpoint.everySteps=2",
                "training.maxSteps=6", "storage={location: " + drive + ", finalPushMinutes: 0}")
            .map(ConfigOverride::parse)
            .toList();
    return valetts.train(new TrainRequest(ConfigLoader.bundled("tiny", overrides), run, List.of()));
  }

  private void deleteRun() throws IOException {
    deleteTree(run);
  }

  private static void deleteTree(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
