package ai.valetts.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.PythonTools;
import ai.valetts.PythonTools.Ended;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunListener;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The official client reads and uploads our files. */
@Tag("e2e")
@Timeout(300)
class RealWandbTest {
  private static final String KEY = "0123456789abcdef0123456789abcdef01234567";

  @TempDir private Path root;

  @Test
  void theOfficialCoreReadsEveryRecord() throws Exception {
    Path python = PythonTools.withWandb();
    WandbMonitor monitor = wholeRun(0, 1000);
    Ended inspected = inspect(python, monitor.folder());
    assertThat(inspected.output()).doesNotContain("skipped corrupt data");
    assertThat(inspected.output().lines().filter(line -> line.startsWith("# record")).count())
        .isEqualTo(monitor.records());

    // That the check can fail: one byte in the middle.
    Path file = logOf(monitor.folder());
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
    assertThat(inspect(python, monitor.folder()).output()).contains("skipped corrupt data");
  }

  @Test
  void syncDeliversEveryStepInOrderTheSummaryTheMediaAndTheEnd() throws Exception {
    Path python = PythonTools.withWandb();
    WandbMonitor monitor = wholeRun(0, 1000);
    try (WandbServer server = new WandbServer()) {
      Ended synced = sync(python, server, monitor.folder());
      assertThat(synced.exitCode()).as(synced.output()).isZero();
      assertThat(steps(server)).isEqualTo(expectedSteps(0, 1000));
      assertThat(server.history.keySet()).containsExactlyElementsOf(expectedRows(110));
      assertThat(server.history.get(2).get("loss/g/total").asText()).isEqualTo("NaN");
      assertThat(server.history.get(0).get("loss/g/total").asDouble()).isEqualTo(10);
      assertThat(server.summary.get("global_step").asLong()).isEqualTo(1000);
      assertThat(server.summary.get("val/mel_l1").asDouble()).isEqualTo(0.5);
      assertThat(server.completion.get("exitcode").asInt()).isZero();
      assertThat(server.upserted.get("groupName").asText()).isEqualTo("ana");
      assertThat(server.upserted.get("project").asText()).isEqualTo("voices");
      assertThat(server.upserted.get("config").asText()).contains("optimizer.learningRate").contains("environment.Java");
      JsonNode sample = rowOf(server, "sample/ana/0");
      assertThat(sample.get("_type").asText()).isEqualTo("audio-file");
      assertThat(server.uploadedBytes).containsEntry(sample.get("path").asText(), 44 + 1600);
      JsonNode mel = rowOf(server, "gen/mel");
      assertThat(mel.get("_type").asText()).isEqualTo("image-file");
      assertThat(mel.get("width").asInt()).isPositive();
      assertThat(server.uploadedBytes).containsEntry(mel.get("path").asText(), mel.get("size").asInt());
      assertThat(synced.output()).doesNotContain(KEY);
    }
  }

  @Test
  void aResumedRunIsAnotherOfTheSameGroup() throws Exception {
    Path python = PythonTools.withWandb();
    wholeRun(0, 50);
    WandbMonitor resumed = wholeRun(30, 60);
    try (WandbServer server = new WandbServer()) {
      assertThat(sync(python, server, resumed.folder()).exitCode()).isZero();
      assertThat(steps(server)).containsExactly(40L, 50L, 60L);
      assertThat(server.upserted.get("groupName").asText()).isEqualTo("ana");
      assertThat(server.upserted.get("displayName").asText()).isEqualTo("ana from 30");
    }
    try (Stream<Path> runs = Files.list(root.resolve("wandb"))) {
      assertThat(runs.filter(file -> file.getFileName().toString().startsWith("offline-run-"))).hasSize(2);
    }
  }

  @Test
  void whatAKilledProcessLeftIsUploadedUpToTheTear() throws Exception {
    Path python = PythonTools.withWandb();
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), WandbRuns.class.getName(), root.toString())
            .redirectErrorStream(true)
            .start();
    try (BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream()))) {
      assertThat(out.readLine()).isEqualTo("ready");
    }
    process.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
    Path folder;
    try (Stream<Path> runs = Files.list(root.resolve("wandb"))) {
      folder = runs.findFirst().orElseThrow();
    }
    assertThat(inspect(python, folder).output()).doesNotContain("skipped corrupt data");
    // The unluckiest moment: in the middle of a chunk.
    Path file = logOf(folder);
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 11));
    try (WandbServer server = new WandbServer()) {
      Ended synced = sync(python, server, folder);
      assertThat(steps(server)).as(synced.output()).startsWith(expectedSteps(0, 1900).toArray(Long[]::new));
      assertThat(server.summary.get("global_step").asLong()).isGreaterThanOrEqualTo(1900);
    }
  }

  @Test
  void liveUploadFollowsTheGrowingFileWithTheKeyFromTheEnvironmentAlone() throws Exception {
    Path python = PythonTools.withWandb();
    try (WandbServer server = new WandbServer()) {
      WandbMonitor monitor = new WandbMonitor(root, WandbRuns.settings(false), text -> {});
      List<RunListener> listeners = List.of(new MediaFiles(root), monitor);
      WandbRuns.tell(listeners, WandbRuns.started(0));
      Map<String, String> environment = environment(python, server);
      WandbUpload upload = WandbUpload.begin(monitor.folder(), environment);
      assertThat(upload).isNotNull();
      WandbRuns.run(listeners, 0, 200);
      Path log = monitor.folder().resolve("upload.log");
      awaitSteps(server, 22, log);
      assertThat(server.completion).isNull();
      WandbRuns.run(listeners, 200, 300);
      WandbRuns.tell(listeners, new RunEnded(300, "done", false));
      monitor.close();
      upload.ended();
      for (int i = 0; server.completion == null && i < 600; i++) {
        Thread.sleep(100);
      }
      assertThat(server.completion).as(Files.readString(log)).isNotNull();
      assertThat(steps(server)).isEqualTo(expectedSteps(0, 300));
      try (Stream<Path> files = Files.walk(root)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).as(file.toString()).doesNotContain(KEY);
        }
      }
      environment.remove("WANDB_API_KEY");
      assertThat(WandbUpload.begin(monitor.folder(), environment)).isNull();
      assertThat(WandbUpload.begin(monitor.folder(), Map.of("WANDB_API_KEY", KEY, "PATH", "/nowhere"))).isNull();
    }
  }

  private static void awaitSteps(WandbServer server, int rows, Path log) throws Exception {
    for (int i = 0; server.history.size() < rows; i++) {
      assertThat(i).as(Files.readString(log) + server.requests).isLessThan(900);
      Thread.sleep(100);
    }
  }

  private WandbMonitor wholeRun(long from, long to) throws Exception {
    WandbMonitor monitor = new WandbMonitor(root, WandbRuns.settings(false), text -> {});
    List<RunListener> listeners = List.of(new MediaFiles(root), monitor);
    WandbRuns.tell(listeners, WandbRuns.started(from));
    WandbRuns.run(listeners, from, to);
    WandbRuns.tell(listeners, new RunEnded(to, "done", false));
    monitor.close();
    return monitor;
  }

  private static Ended inspect(Path python, Path folder) throws Exception {
    Path core =
        Path.of(
            PythonTools.run(
                    60, Map.of(), python.toString(), "-c",
                    "import importlib.util as u; print(u.find_spec('wandb').submodule_search_locations[0])")
                .output()
                .strip(),
            "bin/wandb-core");
    return PythonTools.run(
        60, Map.of(), core.toString(), "leet", "--inspect", "--no-observability", "--run-file",
        logOf(folder).toString(), folder.toString());
  }

  private Map<String, String> environment(Path python, WandbServer server) {
    Map<String, String> environment = new HashMap<>(System.getenv());
    environment.put("PATH", python.getParent() + ":" + environment.get("PATH"));
    environment.put("WANDB_API_KEY", KEY);
    environment.put("WANDB_BASE_URL", server.url());
    environment.put("WANDB_ERROR_REPORTING", "false");
    environment.put("WANDB_DIR", root.toString());
    environment.put("HOME", root.resolve("home").toString());
    return environment;
  }

  private Ended sync(Path python, WandbServer server, Path folder) throws Exception {
    return PythonTools.run(
        120, environment(python, server), python.resolveSibling("wandb").toString(), "sync", folder.toString());
  }

  private static Path logOf(Path folder) throws Exception {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".wandb")).findFirst().orElseThrow();
    }
  }

  private static List<Long> steps(WandbServer server) {
    List<Long> steps = new ArrayList<>();
    server.history.values().forEach(row -> steps.add(row.get("global_step").asLong()));
    return steps;
  }

  /** A row every ten steps, and another at each validation. */
  private static List<Long> expectedSteps(long from, long to) {
    List<Long> steps = new ArrayList<>();
    for (long step = from + 10; step <= to; step += 10) {
      steps.add(step);
      if (step % 100 == 0) {
        steps.add(step);
      }
    }
    return steps;
  }

  private static List<Integer> expectedRows(int count) {
    return Stream.iterate(0, row -> row + 1).limit(count).toList();
  }

  private static JsonNode rowOf(WandbServer server, String tag) {
    return server.history.values().stream().filter(row -> row.has(tag)).findFirst().orElseThrow().get(tag);
  }
}
