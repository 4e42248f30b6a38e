package ai.valetts.storage.drive;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.config.StorageConfig;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.RunStarted;
import ai.valetts.storage.CheckpointSync;
import ai.valetts.storage.GenerationStore;
import ai.valetts.storage.Restore;
import ai.valetts.storage.StorageException;
import ai.valetts.storage.TimedStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The copying as a whole over Google's client: events in, generations out, whatever the server answers. */
@Timeout(40)
class DriveSyncTest {
  @TempDir private Path root;
  private final List<String> said = Collections.synchronizedList(new ArrayList<>());

  private static final List<String> REASONS =
      List.of("401 authError", "403 userRateLimitExceeded", "403 storageQuotaExceeded", "403 insufficientFilePermissions",
          "404 notFound", "429 rateLimitExceeded", "500 internalError", "502 badGateway", "503 backendError");

  /** Each is a request that the copying makes. */
  private static final List<String> REQUESTS =
      List.of("GET /drive/v3/files", "POST /drive/v3/files", "GET /drive/v3/about", "DELETE /drive/v3/files",
          "POST /upload/drive", "PUT /upload/session", "POST /token");

  private static final int FAULTS_PER_CHECKPOINT = 8;

  static IntStream seeds() {
    return IntStream.rangeClosed(1, 100);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void nothingThatWasAcknowledgedIsLostWhateverTheServerAnswers(int seed) throws IOException {
    Random random = new Random(seed);
    Path run = root.resolve("run");
    try (FakeDrive server = new FakeDrive()) {
      int checkpoints = seed % 5 == 0 ? 3 : 1;
      for (int step = 1; step <= checkpoints; step++) {
        schedule(server, random);
        Path checkpoint = checkpoint(run, step);
        assertThat(pushed(sync(server, run))).isEqualTo(step);
        check(checkpoint);
        assertThat(server.faults).as("faults that came to pass").hasSizeLessThan(FAULTS_PER_CHECKPOINT);
        server.faults.clear();
        if (step == checkpoints || random.nextInt(3) == 0) {
          Path back = root.resolve("back" + step);
          Restore.Restored restored =
              new Restore(new GenerationStore(store(server)), DriveSyncTest::check, said::add).into(back);
          assertThat(restored.generation().step()).isEqualTo(step);
          check(restored.checkpoint());
        }
      }
      assertThat(new GenerationStore(store(server)).contents().generations())
          .hasSizeBetween(Math.min(2, checkpoints), 3);
    }
  }

  private static void schedule(FakeDrive server, Random random) {
    for (int i = 0; i < FAULTS_PER_CHECKPOINT; i++) {
      if (random.nextInt(4) == 0) {
        server.fail("PUT", "/upload/session",
            List.of(FakeDrive.Fault.Act.CUT, FakeDrive.Fault.Act.FLIP, FakeDrive.Fault.Act.SWALLOW)
                .get(random.nextInt(3)));
        continue;
      }
      String[] request = REQUESTS.get(random.nextInt(REQUESTS.size())).split(" ");
      String[] answer = REASONS.get(random.nextInt(REASONS.size())).split(" ");
      server.fail(request[0], request[1], Integer.parseInt(answer[0]), answer[1], random.nextBoolean() ? "1" : null);
    }
  }

  private static long pushed(CheckpointSync sync) {
    long step = -1;
    for (int attempt = 0; step < 0; attempt++) {
      try {
        step = sync.pushNewest(50, wait -> {});
      } catch (StorageException e) {
        assertThat(attempt).as(e.getMessage()).isLessThan(2 * FAULTS_PER_CHECKPOINT);
      }
    }
    return step;
  }

  private CheckpointSync sync(FakeDrive server, Path run) {
    StorageConfig config = new StorageConfig("gdrive:valetts", null, null, 0.0, 30.0, 0.5, null, null, null);
    return new CheckpointSync(
        "ana", run, config, () -> store(server), DriveSyncTest::check, notice -> said.add(notice.text()));
  }

  private TimedStore store(FakeDrive server) {
    AuthorizedUser user =
        AuthorizedUser.find(null, Map.of(AuthorizedUser.TOKEN_VARIABLE,
            "{\"client_id\":\"id\",\"client_secret\":\"SECRET-CLIENT\",\"refresh_token\":\"SECRET-REFRESH\","
                + "\"token_uri\":\"" + server.url() + "token\"}"), root.resolve("none"));
    return new TimedStore(
        new DriveStore(user, "valetts/ana",
            new DriveStore.Connection(server.url(), Duration.ofSeconds(5), millis -> {}, 262_144)),
        Duration.ofSeconds(30),
        new AtomicInteger());
  }

  private static Path checkpoint(Path run, int step) throws IOException {
    Path directory = Files.createDirectories(run.resolve("checkpoints/step-%08d".formatted(step)));
    byte[] content = new byte[300_000];
    new Random(step).nextBytes(content);
    Files.write(directory.resolve("generator.safetensors"), content);
    Files.writeString(directory.resolve("manifest.json"), Integer.toString(step));
    Files.writeString(directory.resolve("config.yaml"), "name: ana\n");
    Files.writeString(run.resolve("config.yaml"), "name: ana\n");
    return directory;
  }

  private static void check(Path directory) {
    try {
      byte[] content = new byte[300_000];
      new Random(Integer.parseInt(Files.readString(directory.resolve("manifest.json")))).nextBytes(content);
      if (!Arrays.equals(content, Files.readAllBytes(directory.resolve("generator.safetensors")))) {
        throw new IllegalStateException(directory + " is damaged");
      }
    } catch (IOException e) {
      throw new IllegalStateException(directory + " is damaged", e);
    }
  }

  @Test
  void noSecretIsEverWrittenOrSaid() throws IOException {
    Path run = root.resolve("run");
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try (FakeDrive server = new FakeDrive();
        PrintStream both = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(both);
      System.setErr(both);
      CheckpointSync sync = sync(server, run);
      sync.start();
      sync.listener().on(new RunStarted("ana", 0, false, "cpu", ""));
      sync.listener().on(new CheckpointSaved(1, checkpoint(run, 1), 1));
      sync.close();
      assertThat(sync.acknowledgedStep()).hasValue(1);
      server.grantIsInvalid = true;
      for (String reason : REASONS) {
        String[] parts = reason.split(" ");
        server.fail("GET", "/drive/v3", Integer.parseInt(parts[0]), parts[1], null);
      }
      try {
        checkpoint(run, 2);
        sync(server, run).pushNewest(1, wait -> {});
      } catch (StorageException e) {
        e.printStackTrace(both);
      }
      server.contents.values().forEach(content ->
          assertThat(new String(content, StandardCharsets.ISO_8859_1)).doesNotContain("SECRET"));
      server.files.values().forEach(file -> assertThat(file.toString()).doesNotContain("SECRET"));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
    assertThat(printed.toString(StandardCharsets.UTF_8)).contains("StorageException").doesNotContain("SECRET");
    assertThat(String.join("\n", said)).contains("CHECKPOINTS ARE NOT COPIED").doesNotContain("SECRET");
    try (Stream<Path> files = Files.walk(root)) {
      List<Path> all = files.filter(Files::isRegularFile).toList();
      assertThat(all).hasSizeGreaterThan(5);
      for (Path file : all) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1)).as(file.toString()).doesNotContain("SECRET");
      }
    }
  }
}
