package ai.valetts.storage.drive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ai.valetts.storage.Blob;
import ai.valetts.storage.FileDigest;
import ai.valetts.storage.Space;
import ai.valetts.storage.StorageException;
import ai.valetts.storage.StorageException.Kind;
import ai.valetts.storage.TimedStore;
import ai.valetts.storage.Transfer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Google's own client against a server that speaks Drive v3. */
@Timeout(60)
class DriveStoreTest {
  private static final int CHUNK = 262_144;

  @TempDir private Path root;
  private final List<Long> waits = new ArrayList<>();
  private FakeDrive server;
  private DriveStore store;

  @BeforeEach
  void connect() throws IOException {
    server = new FakeDrive();
    store = store("valetts/ana");
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private DriveStore store(String folder) {
    return new DriveStore(user(), folder,
        new DriveStore.Connection(server.url(), Duration.ofSeconds(5), waits::add, CHUNK));
  }

  private AuthorizedUser user() {
    return AuthorizedUser.find(null, Map.of(AuthorizedUser.TOKEN_VARIABLE,
        "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"SECRET-CLIENT\",\"refresh_token\":"
            + "\"SECRET-REFRESH\",\"token_uri\":\"" + server.url() + "token\"}"), root.resolve("none"));
  }

  private Path file(String name, int bytes) throws IOException {
    byte[] content = new byte[bytes];
    new Random(bytes).nextBytes(content);
    return Files.write(root.resolve(name), content);
  }

  private void put(String name, Path source) throws IOException {
    store.put(name, source, FileDigest.of(source), Transfer.SILENT);
  }

  private StorageException failure(Runnable action) {
    StorageException failure = catchThrowableOfType(StorageException.class, action::run);
    assertThat(failure).isNotNull();
    return failure;
  }

  @Test
  void writesListsReadsAndDeletes() throws IOException {
    Path source = file("a.bin", 700_000);
    long[] moved = {0};
    assertThat(store.list()).isEmpty();
    store.put("a.bin", source, FileDigest.of(source), bytes -> moved[0] += bytes);
    put("empty", file("empty", 0));
    assertThat(moved[0]).isEqualTo(700_000);
    assertThat(server.count("PUT")).as("chunks").isEqualTo(4);
    assertThat(store.list()).containsExactly(new Blob("a.bin", 700_000), new Blob("empty", 0));
    assertThat(store("valetts").folders()).containsExactly("ana");
    DriveStore other = store("valetts/ana");
    other.verify("a.bin", FileDigest.of(source));
    assertThat(other.get("a.bin", root.resolve("back"), Transfer.SILENT)).isEqualTo(FileDigest.of(source));
    assertThat(Files.mismatch(source, root.resolve("back"))).isEqualTo(-1);
    assertThat(other.read("empty", 10)).isEmpty();
    assertThat(failure(() -> other.read("a.bin", 10)).kind()).isEqualTo(Kind.DAMAGED);
    assertThat(store.space()).isEqualTo(new Space(1L << 34, 700_000 + (5L << 20), 5L << 20));
    store.delete("a.bin");
    store.delete("a.bin");
    assertThat(store.list()).extracting(Blob::name).containsExactly("empty");
    assertThat(failure(() -> store.read("a.bin", 10)).kind()).isEqualTo(Kind.MISSING);
  }

  @Test
  void looksWithoutMakingFolders() {
    assertThat(store("typo/ana").list()).isEmpty();
    assertThat(server.files).isEmpty();
  }

  @Test
  void anExpiredTokenIsRefreshedOnce() throws IOException {
    put("a", file("a", 10));
    server.expireTokens();
    assertThat(store.list()).hasSize(1);
    assertThat(server.refreshes).isEqualTo(2);
    server.refuseEveryToken = true;
    StorageException refused = failure(store::list);
    assertThat(refused.kind()).isEqualTo(Kind.REFUSED);
    assertThat(refused).hasMessageContaining("not even a fresh one").hasMessageContaining("valetts drive login");
    assertThat(server.refreshes).isLessThanOrEqualTo(4);
  }

  @Test
  void aWithdrawnAuthorisationSaysHowToRenewIt() {
    server.grantIsInvalid = true;
    StorageException refused = failure(store::list);
    assertThat(refused.kind()).isEqualTo(Kind.REFUSED);
    assertThat(refused).hasMessageContaining("no longer accepts").hasMessageContaining("valetts drive login");
  }

  @Test
  void tellsAFullDriveFromTooManyRequestsFromAPlaceThatIsForbidden() throws IOException {
    Path source = file("a", 10);
    put("first", source);
    server.fail("POST", "/upload", 403, "storageQuotaExceeded", null);
    assertThat(failure(() -> putQuietly("a", source)).kind()).isEqualTo(Kind.FULL);
    server.fail("GET", "/files", 403, "userRateLimitExceeded", null);
    assertThat(store.list()).hasSize(1);
    assertThat(waits).isNotEmpty();
    server.fail("GET", "/files", 403, "appNotAuthorizedToFile", null);
    assertThat(failure(store::list).kind()).isEqualTo(Kind.REFUSED);
    server.fail("GET", "/files", 403, "accessNotConfigured", null);
    assertThat(failure(store::list)).hasMessageContaining("Enable the Drive API");
    server.fail("PUT", "/upload/session", 404, "notFound", null);
    assertThat(failure(() -> putQuietly("b", source)).kind()).as("an expired upload").isEqualTo(Kind.UNAVAILABLE);
    putQuietly("b", source);
  }

  private void putQuietly(String name, Path source) {
    try {
      put(name, source);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void waitsAsLongAsTheStoreAsks() {
    server.fail("GET", "/files", 429, "rateLimitExceeded", "7");
    assertThat(store.list()).isEmpty();
    assertThat(waits).hasSize(1);
    assertThat(waits.get(0)).isGreaterThanOrEqualTo(7_000);
    waits.clear();
    server.fail("GET", "/files", 429, "rateLimitExceeded", "3600");
    StorageException later = failure(store::list);
    assertThat(later.kind()).isEqualTo(Kind.UNAVAILABLE);
    assertThat(later.retryAfter()).isEqualTo(Duration.ofHours(1));
    assertThat(waits).as("an hour is not waited inside a call").isEmpty();
  }

  @Test
  void bearsServerErrorsAndGivesUpWhenTheyStay() {
    for (int status : List.of(500, 502, 503)) {
      server.fail("GET", "/files", status, "backendError", null);
    }
    assertThat(store.list()).isEmpty();
    for (int i = 0; i < 40; i++) {
      server.fail("GET", "/files", 503, "backendError", null);
    }
    StorageException failure = failure(store::list);
    assertThat(failure.kind()).isEqualTo(Kind.UNAVAILABLE);
    assertThat(failure).hasMessageContaining("503");
  }

  @Test
  void aCutUploadGoesOnWhereItStopped() throws IOException {
    Path source = file("big", 5 * CHUNK);
    server.fail("PUT", "/upload/session", FakeDrive.Fault.Act.CUT);
    put("big", source);
    store.verify("big", FileDigest.of(source));
    assertThat(server.uploadedBytes).as("bytes sent").isLessThan(6L * CHUNK);
    assertThat(server.count("POST /upload/drive/v3/files")).isEqualTo(1);
    server.fail("PUT", "/upload/session", 503, "backendError", null);
    put("again", source);
    store.verify("again", FileDigest.of(source));
  }

  @Test
  void findsOutWhatDidNotArriveAsItWasSent() throws IOException {
    Path source = file("a", 1_000);
    server.fail("PUT", "/upload/session", FakeDrive.Fault.Act.FLIP);
    assertThat(failure(() -> putQuietly("flipped", source)).kind()).isEqualTo(Kind.DAMAGED);
    server.fail("PUT", "/upload/session", FakeDrive.Fault.Act.SWALLOW);
    putQuietly("swallowed", source);
    FileDigest digest = FileDigest.of(source);
    assertThat(failure(() -> store.verify("swallowed", digest)).kind()).isEqualTo(Kind.MISSING);
  }

  @Test
  void aShortAnswerIsFetchedAgainAndADripIsEnded() throws IOException {
    Path source = file("a", 3_000);
    put("a", source);
    server.fail("GET", "/files/id", FakeDrive.Fault.Act.SHORT);
    assertThat(store.get("a", root.resolve("back"), Transfer.SILENT)).isEqualTo(FileDigest.of(source));
    server.fail("GET", "/files/id", FakeDrive.Fault.Act.DRIP);
    TimedStore timed = new TimedStore(store, Duration.ofMillis(100), new AtomicInteger());
    StorageException slow = failure(() -> timed.get("a", root.resolve("slow"), Transfer.SILENT));
    assertThat(slow.kind()).isEqualTo(Kind.UNAVAILABLE);
    assertThat(slow).hasMessageContaining("too slow");
  }

  @Test
  void aServerThatIsNotThereIsSaidToBeUnreachable() {
    server.close();
    assertThat(failure(store::list)).hasMessageContaining("cannot be reached");
  }

  @Test
  void refusesCredentialsThatCannotWork() throws IOException {
    Map<String, String> none = Map.of();
    Path usual = root.resolve("usual.json");
    assertThatThrownBy(() -> AuthorizedUser.find(null, none, usual)).hasMessageContaining("valetts drive login");
    Path broken = Files.writeString(root.resolve("broken.json"), "{ \"refresh_token\": \"SECRET-REFRESH\" ");
    assertThatThrownBy(() -> AuthorizedUser.find(broken, none, usual))
        .hasMessageContaining("is no JSON")
        .hasMessageNotContaining("SECRET")
        .hasNoCause();
    Path service = Files.writeString(root.resolve("service.json"), "{\"type\":\"service_account\",\"private_key\":\"SECRET\"}");
    assertThatThrownBy(() -> AuthorizedUser.find(service, none, usual)).hasMessageContaining("no room in a personal Drive");
    Path plain = Files.writeString(root.resolve("plain.json"),
        "{\"client_id\":\"a\",\"refresh_token\":\"b\",\"token_uri\":\"http://elsewhere/token\"}");
    assertThatThrownBy(() -> AuthorizedUser.find(plain, none, usual)).hasMessageContaining("not https");
    assertThatThrownBy(() -> AuthorizedUser.find(root.resolve("gone.json"), none, usual))
        .hasMessageContaining("there is no such file");
  }

  @Test
  void logsInWithACodeTypedElsewhere() throws IOException {
    Path client = Files.writeString(root.resolve("client.json"),
        "{\"installed\":{\"client_id\":\"id\",\"client_secret\":\"SECRET-CLIENT\"}}");
    Path target = root.resolve("config/drive.json");
    server.deviceAnswers.addAll(List.of("{\"error\":\"authorization_pending\"}", "{\"error\":\"slow_down\"}",
        "{\"access_token\":\"SECRET-A\",\"refresh_token\":\"SECRET-REFRESH\",\"expires_in\":3599}"));
    List<String> said = new ArrayList<>();
    DriveLogin login = new DriveLogin(server.url() + "device/code", server.url() + "token", waits::add);
    login.run(client, target, said::add);
    assertThat(said.get(0)).contains("https://www.google.com/device", "ABCD-EFGH");
    assertThat(String.join("\n", said)).doesNotContain("SECRET");
    assertThat(waits).containsExactly(5_000L, 5_000L, 10_000L);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(target))).isEqualTo("rw-------");
    assertThat(AuthorizedUser.find(null, Map.of(), target)).hasToString(target.toString());
    server.deviceAnswers.add("{\"error\":\"access_denied\"}");
    assertThatThrownBy(() -> login.run(client, target, said::add)).hasMessageContaining("not allowed on the page");
  }
}
