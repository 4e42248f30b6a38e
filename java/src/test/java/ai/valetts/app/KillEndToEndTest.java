package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointStore;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A machine that disappears without a word: the process is killed at random moments, in a step, in a save, while a copy is
 * made, and the same command goes on. {@code valetts.kills} says how often; all fifty belong to the full tests.
 */
@Tag("e2e")
class KillEndToEndTest {
  private static final int STEPS = 12;
  private static final int KILLS = Integer.getInteger("valetts.kills", 8);
  private static final long EARLIEST_MILLIS = 1200;
  private static final long LATEST_MILLIS = 7000;
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path root;
  private final Random moments = new Random(20_411);

  @Test
  void aRunThatIsKilledAgainAndAgainEndsLikeOneThatNeverWas() throws Exception {
    ToySpeech.folder(root.resolve("ana"), 8, 1);
    EndToEnd.Ended whole = EndToEnd.await(start("whole"), log("whole"));
    assertThat(whole.exitCode()).as(whole.output()).isZero();
    Map<Long, Double> losses = losses("whole");
    assertThat(losses).hasSize(STEPS);

    int kills = 0;
    for (int run = 0; kills < KILLS; run++) {
      String name = "killed" + run;
      while (true) {
        Process process = start(name);
        boolean spared = kills >= KILLS;
        boolean ended =
            process.waitFor(
                spared ? TimeUnit.MINUTES.toMillis(4) : moments.nextLong(EARLIEST_MILLIS, LATEST_MILLIS),
                TimeUnit.MILLISECONDS);
        if (ended) {
          assertThat(process.exitValue()).as(Files.readString(log(name))).isZero();
          break;
        }
        process.destroyForcibly().waitFor();
        assertThat(spared).as("the run did not end").isFalse();
        kills++;
      }
      assertEqualEnd(name, losses);
    }
  }

  private void assertEqualEnd(String name, Map<Long, Double> losses) throws IOException {
    assertThat(losses(name)).as("losses of %s", name).isEqualTo(losses);
    Path expected = checkpoint("whole").directory();
    Path actual = checkpoint(name).directory();
    try (Stream<Path> files = Files.list(expected)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".safetensors")).toList()) {
        assertThat(Files.mismatch(file, actual.resolve(file.getFileName()))).as(file.toString()).isEqualTo(-1);
      }
    }
    Path copies = root.resolve("copies-" + name);
    assertThat(copies).as("the copies").isNotEmptyDirectory();
  }

  private Checkpoint checkpoint(String name) {
    return CheckpointStore.newest(root.resolve("runs").resolve(name).resolve("checkpoints"), text -> {}).orElseThrow();
  }

  /** Generator losses by step, of the run's own record: the last word on each step counts. */
  private Map<Long, Double> losses(String name) throws IOException {
    Map<Long, Double> losses = new TreeMap<>();
    for (String line : Files.readAllLines(root.resolve("runs").resolve(name).resolve("metrics.jsonl"))) {
      JsonNode event;
      try {
        event = JSON.readTree(line);
      } catch (IOException e) {
        // The line that was being written when the process was killed.
        continue;
      }
      JsonNode loss = event.path("scalars").path("loss/g/total");
      if (loss.isNumber() && event.path("step").isNumber()) {
        losses.put(event.path("step").asLong(), loss.asDouble());
      }
    }
    return losses;
  }

  private Path log(String name) {
    return root.resolve(name + ".log");
  }

  private Process start(String name) throws IOException {
    return EndToEnd.startValetts(
        root,
        log(name),
        "train", "--config", "tiny", "--data", root.resolve("ana") + ":ana:en-us", "--steps", "" + STEPS,
        "--run", root.resolve("runs").resolve(name).toString(),
        "--set", "text.frontEnd=characters",
        "--set", "training.threads=1",
        "--set", "checkpoint.everySteps=1",
        "--set", "checkpoint.keep=2",
        "--set", "validation.everySteps=1000",
        "--set", "validation.sentences=[]",
        "--set", "monitor.logEverySteps=1",
        "--set", "monitor.tensorboard=false",
        "--set", "storage.settleSeconds=0.1",
        "--drive", root.resolve("copies-" + name).toString());
  }
}
