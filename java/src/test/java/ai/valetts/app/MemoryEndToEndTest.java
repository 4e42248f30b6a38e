package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two thousand steps of a toy run in a process of its own, watched from outside. */
@Tag("e2e")
class MemoryEndToEndTest {
  private static final int WARM_UP_STEPS = 1000;
  private static final int STEPS = 2000;
  private static final int WINDOW_STEPS = 200;

  @TempDir private Path root;

  @Test
  void memoryStaysFlat() throws Exception {
    ToySpeech.folder(root.resolve("ana"), 6, 1);
    Path log = root.resolve("log");
    List<String> arguments =
        // The Java heap is touched at once, so that what grows later is ours.
        new ArrayList<>(List.of("-Xms160m", "-Xmx160m", "-XX:+AlwaysPreTouch", "-jar", EndToEnd.jar().toString()));
    arguments.addAll(
        List.of("train", "--config", "tiny", "--data", root.resolve("ana") + ":ana", "--steps",
            String.valueOf(WARM_UP_STEPS + STEPS)));
    for (String setting :
        List.of("text.frontEnd=characters", "data.batchSize=1", "training.segmentSamples=1024", "data.validationClips=1",
            "validation.everySteps=50", "validation.audioClips=1", "validation.sentences=[bad]",
            "checkpoint.everySteps=200", "monitor.logEverySteps=10", "model.durationPredictor=deterministic")) {
      arguments.add("--set");
      arguments.add(setting);
    }
    // Each validation speaks another length, and oneDNN keeps the code it made for each, up to this many pieces: the
    // store is full before the first look, as is the heap that the many sizes part.
    Process process = EndToEnd.start(root, log, Map.of("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128"), arguments);
    Path metrics = root.resolve("runs/tiny/metrics.jsonl");
    long before = usualKibibytes(process, metrics, WARM_UP_STEPS, WARM_UP_STEPS + WINDOW_STEPS);
    long after = usualKibibytes(process, metrics, WARM_UP_STEPS + STEPS - WINDOW_STEPS, WARM_UP_STEPS + STEPS - 20);
    EndToEnd.Ended ended = EndToEnd.await(process, log);
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    System.out.printf("Memory after %d steps: %d MiB, after %d more: %d MiB%n", WARM_UP_STEPS, before / 1024, STEPS,
        after / 1024);
    assertThat(after).as("KiB after %d more steps", STEPS).isLessThan(Math.round(before * 1.05));
  }

  /** The median of many looks between two steps: Java's compiler takes and returns several MiB from one look to the next. */
  private static long usualKibibytes(Process process, Path metrics, int fromStep, int toStep) throws Exception {
    List<Long> looks = new ArrayList<>();
    for (long step = step(metrics); process.isAlive() && step < toStep; step = step(metrics)) {
      long resident = step < fromStep ? 0 : residentKibibytes(process);
      if (resident > 0) {
        looks.add(resident);
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
    assertThat(looks).as("looks from step %d on", fromStep).isNotEmpty();
    Collections.sort(looks);
    return looks.get(looks.size() / 2);
  }

  private static long step(Path metrics) throws IOException {
    if (Files.notExists(metrics)) {
      return 0;
    }
    List<String> lines = Files.readAllLines(metrics);
    for (int i = lines.size() - 1; i >= 0; i--) {
      if (lines.get(i).startsWith("{\"kind\":\"step\"") && lines.get(i).endsWith("}")) {
        return Long.parseLong(lines.get(i).replaceFirst(".*?\"step\":(\\d+).*", "$1"));
      }
    }
    return 0;
  }

  private static long residentKibibytes(Process process) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc", String.valueOf(process.pid()), "status"))) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("[^0-9]", ""));
        }
      }
    } catch (IOException e) {
      // The process ended between two looks.
    }
    return 0;
  }
}
