package ai.valetts.storage.drive;

import ai.valetts.storage.StorageException;
import ai.valetts.storage.StorageException.Kind;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.api.client.http.GenericUrl;
import com.google.api.client.http.HttpRequest;
import com.google.api.client.http.HttpResponse;
import com.google.api.client.http.UrlEncodedContent;
import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.api.client.util.Sleeper;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Authorises this machine to write to a person's Drive without a browser of its own: Google's flow for devices of limited
 * input. The person opens a page elsewhere and types a code.
 */
public final class DriveLogin {
  private static final String SCOPE = "https://www.googleapis.com/auth/drive.file";
  private static final String DEVICE_CODES = "https://oauth2.googleapis.com/device/code";
  private static final String TOKENS = "https://oauth2.googleapis.com/token";
  private static final String GRANT = "urn:ietf:params:oauth:grant-type:device_code";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TIMEOUT_MILLIS = 30_000;
  private static final Duration SLOWER_BY = Duration.ofSeconds(5);

  private final String deviceCodes;
  private final String tokens;
  private final Sleeper sleeper;

  /** At Google. */
  public DriveLogin() {
    this(DEVICE_CODES, TOKENS, Sleeper.DEFAULT);
  }

  DriveLogin(String deviceCodes, String tokens, Sleeper sleeper) {
    this.deviceCodes = deviceCodes;
    this.tokens = tokens;
    this.sleeper = sleeper;
    if (!AuthorizedUser.isProtected(URI.create(deviceCodes)) || !AuthorizedUser.isProtected(URI.create(tokens))) {
      throw new IllegalArgumentException("the addresses of a login are https");
    }
  }

  /**
   * Waits for the person and writes the authorisation, readable by this account alone.
   *
   * @param client JSON of an OAuth client of the kind "TVs and limited input devices", as Google's console gives it
   * @param target file of the authorisation
   * @param notice told where to go and what to type
   * @throws StorageException REFUSED if the person or Google does not allow it, LOCAL if a file fails
   */
  public void run(Path client, Path target, Consumer<String> notice) {
    JsonNode known = client(client);
    String id = known.path("client_id").asText();
    String secret = known.path("client_secret").asText();
    JsonNode device = post(deviceCodes, Map.of("client_id", id, "scope", SCOPE));
    if (!device.hasNonNull("device_code")) {
      throw refused(device);
    }
    notice.accept("Open " + device.path("verification_url").asText(device.path("verification_uri").asText())
        + " in any browser and type the code " + device.path("user_code").asText());
    Duration interval = Duration.ofSeconds(device.path("interval").asLong(5));
    long waited = 0;
    long most = device.path("expires_in").asLong(1_800);
    while (waited < most) {
      pause(interval);
      waited += Math.max(1, interval.toSeconds());
      JsonNode answer =
          post(tokens,
              Map.of("client_id", id, "client_secret", secret, "device_code", device.path("device_code").asText(),
                  "grant_type", GRANT));
      if (answer.hasNonNull("refresh_token")) {
        write(target, id, secret, answer.path("refresh_token").asText());
        notice.accept("Authorised; kept in " + target + ".");
        return;
      }
      String error = answer.path("error").asText();
      if (error.equals("slow_down")) {
        interval = interval.plus(SLOWER_BY);
      } else if (!error.equals("authorization_pending")) {
        throw refused(answer);
      }
    }
    throw new StorageException(Kind.REFUSED, "The code was not typed in time: run valetts drive login again.");
  }

  private static StorageException refused(JsonNode answer) {
    String error = answer.path("error").asText(answer.path("error_code").asText("no reason given"));
    String advice =
        switch (error) {
          case "access_denied" -> "it was not allowed on the page";
          case "invalid_client" -> "the client's file is of another kind; make one for TVs and limited input devices";
          case "expired_token" -> "the code was not typed in time";
          default -> "see docs/drive.md";
        };
    return new StorageException(
        Kind.REFUSED, "Google does not authorise this machine (" + error.replaceAll("[^a-z_ ]", "") + "): " + advice + ".");
  }

  private static JsonNode client(Path file) {
    try {
      JsonNode json = JSON.readTree(Files.readAllBytes(file));
      JsonNode client = json == null ? null : json.has("installed") ? json.get("installed") : json;
      if (client == null || !client.hasNonNull("client_id") || !client.hasNonNull("client_secret")) {
        throw new StorageException(Kind.LOCAL, file + " is no OAuth client: it takes client_id and client_secret.");
      }
      return client;
    } catch (IOException e) {
      throw new StorageException(
          Kind.LOCAL, file + " cannot be read as JSON (" + e.getClass().getSimpleName() + ").");
    }
  }

  private JsonNode post(String url, Map<String, String> form) {
    try {
      HttpRequest request =
          new NetHttpTransport()
              .createRequestFactory()
              .buildPostRequest(new GenericUrl(url), new UrlEncodedContent(new TreeMap<>(form)));
      request.setThrowExceptionOnExecuteError(false);
      request.setConnectTimeout(TIMEOUT_MILLIS);
      request.setReadTimeout(TIMEOUT_MILLIS);
      HttpResponse response = request.execute();
      try {
        JsonNode answer = JSON.readTree(response.parseAsString());
        return answer == null ? JSON.createObjectNode() : answer;
      } finally {
        response.disconnect();
      }
    } catch (IOException e) {
      // Its message may quote the answer.
      throw new StorageException(
          Kind.UNAVAILABLE, "Google cannot be reached to log in (" + e.getClass().getSimpleName() + ").");
    }
  }

  private void pause(Duration interval) {
    try {
      sleeper.sleep(interval.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StorageException(Kind.UNAVAILABLE, "The login was ended.");
    }
  }

  private static void write(Path target, String id, String secret, String refreshToken) {
    ObjectNode user = JSON.createObjectNode();
    user.put("type", "authorized_user");
    user.put("client_id", id);
    user.put("client_secret", secret);
    user.put("refresh_token", refreshToken);
    Path absolute = target.toAbsolutePath();
    Path beside = absolute.resolveSibling(absolute.getFileName() + ".tmp");
    try {
      Files.createDirectories(absolute.getParent());
      Files.deleteIfExists(beside);
      if (FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
        Files.createFile(
            beside, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
      Files.write(beside, JSON.writeValueAsBytes(user));
      Files.move(beside, absolute, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new StorageException(Kind.LOCAL, target + " cannot be written (" + e.getClass().getSimpleName() + ").");
    }
  }
}
