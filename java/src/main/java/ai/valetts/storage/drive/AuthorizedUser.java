package ai.valetts.storage.drive;

import ai.valetts.storage.StorageException;
import ai.valetts.storage.StorageException.Kind;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.auth.http.HttpTransportFactory;
import com.google.auth.oauth2.UserCredentials;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;

/**
 * Who may write to Drive. The secrets come from a file or from the environment and go nowhere else; {@link #toString}
 * names only where they were found.
 */
public final class AuthorizedUser {
  /** Environment variable with the JSON itself. */
  public static final String TOKEN_VARIABLE = "VALETTS_DRIVE_TOKEN";

  /** Environment variable with the path of the JSON. */
  public static final String FILE_VARIABLE = "VALETTS_DRIVE_CREDENTIALS";

  private static final String GOOGLE_TOKENS = "https://oauth2.googleapis.com/token";

  private final String origin;
  private final String clientId;
  private final String clientSecret;
  private final String refreshToken;
  private final URI tokenUri;

  private AuthorizedUser(String origin, JsonNode json) {
    this.origin = origin;
    this.clientId = text(json, "client_id");
    this.clientSecret = text(json, "client_secret");
    this.refreshToken = text(json, "refresh_token");
    String tokens = json.path("token_uri").asText(GOOGLE_TOKENS);
    this.tokenUri = URI.create(tokens);
    if (!isProtected(tokenUri)) {
      throw new StorageException(Kind.REFUSED, origin + ": token_uri is not https.");
    }
  }

  /**
   * Finds them: the configured file, else the environment, else the file that the login wrote.
   *
   * @param configured file of the configuration; null without one
   * @param environment the process's
   * @param usual where the login writes
   * @throws StorageException REFUSED saying where they were looked for, or what is wrong with them
   */
  public static AuthorizedUser find(Path configured, Map<String, String> environment, Path usual) {
    if (configured != null) {
      return read(configured);
    }
    String inline = environment.getOrDefault(TOKEN_VARIABLE, "");
    if (!inline.isBlank()) {
      return parse(TOKEN_VARIABLE, inline);
    }
    String file = environment.getOrDefault(FILE_VARIABLE, "");
    if (!file.isBlank()) {
      return read(Path.of(file));
    }
    if (Files.exists(usual)) {
      return read(usual);
    }
    throw new StorageException(Kind.REFUSED, "Nobody is authorised to write to Google Drive: run valetts drive login, or"
        + " name the authorised user's JSON in " + FILE_VARIABLE + " or storage.credentials.");
  }

  private static AuthorizedUser read(Path file) {
    try {
      return parse(file.toString(), Files.readString(file));
    } catch (NoSuchFileException e) {
      throw new StorageException(Kind.REFUSED, file + ": there is no such file; run valetts drive login.");
    } catch (IOException e) {
      throw new StorageException(Kind.REFUSED, file + " cannot be read: " + e.getClass().getSimpleName() + ".");
    }
  }

  /** Nothing of the text gets into a message: a parser's complaint may quote it. */
  private static AuthorizedUser parse(String origin, String text) {
    JsonNode json;
    try {
      json = new ObjectMapper().readTree(text);
    } catch (IOException e) {
      throw new StorageException(Kind.REFUSED, origin + " is no JSON.");
    }
    String type = json == null ? "" : json.path("type").asText("authorized_user");
    if (type.equals("service_account")) {
      throw new StorageException(Kind.REFUSED, origin + " is a service account, which has no room in a personal Drive: use"
          + " valetts drive login as yourself.");
    }
    if (!type.equals("authorized_user")
        || text(json, "client_id").isEmpty()
        || text(json, "refresh_token").isEmpty()) {
      throw new StorageException(Kind.REFUSED, origin + " is no authorised user: it takes client_id, client_secret and"
          + " refresh_token. valetts drive login writes one.");
    }
    return new AuthorizedUser(origin, json);
  }

  private static String text(JsonNode json, String key) {
    return json == null ? "" : json.path(key).asText("").strip();
  }

  /** Whether what is sent there cannot be read on the way. */
  static boolean isProtected(URI uri) {
    return "https".equals(uri.getScheme())
        || "http".equals(uri.getScheme()) && ("localhost".equals(uri.getHost()) || "127.0.0.1".equals(uri.getHost()));
  }

  UserCredentials credentials(HttpTransportFactory transport) {
    return UserCredentials.newBuilder()
        .setClientId(clientId)
        .setClientSecret(clientSecret)
        .setRefreshToken(refreshToken)
        .setTokenServerUri(tokenUri)
        .setHttpTransportFactory(transport)
        .build();
  }

  @Override
  public String toString() {
    return origin;
  }
}
