package ai.valetts.app;

import java.nio.file.Path;
import java.util.Map;

/** Where things are kept on this machine. */
public final class Places {
  private Places() {}

  /**
   * What can be made again: demo recordings, prepared audio, unpacked libraries. {@code VALETTS_CACHE}, else
   * {@code valetts} in {@code XDG_CACHE_HOME}, else {@code ~/.cache/valetts}, the same as the scripts'. {@code HOME} says
   * where {@code ~} is: Java's own idea of it is the account's and ignores that variable.
   */
  public static Path cacheFolder() {
    return cacheFolder(System.getenv(), System.getProperty("user.home"));
  }

  static Path cacheFolder(Map<String, String> environment, String accountHome) {
    String own = environment.getOrDefault("VALETTS_CACHE", "");
    if (!own.isBlank()) {
      return Path.of(own).toAbsolutePath();
    }
    String shared = environment.getOrDefault("XDG_CACHE_HOME", "");
    String home = environment.getOrDefault("HOME", accountHome);
    Path parent = shared.isBlank() ? Path.of(home, ".cache") : Path.of(shared);
    return parent.resolve("valetts").toAbsolutePath();
  }

  /** The folder of a run by its name, below the working directory. */
  public static Path runFolder(String name) {
    return Path.of("runs", name);
  }

  /**
   * Where the login to Google Drive keeps its authorisation: {@code valetts/drive.json} in {@code XDG_CONFIG_HOME}, else in
   * {@code ~/.config}.
   */
  public static Path driveCredentials() {
    return driveCredentials(System.getenv(), System.getProperty("user.home"));
  }

  static Path driveCredentials(Map<String, String> environment, String accountHome) {
    String shared = environment.getOrDefault("XDG_CONFIG_HOME", "");
    String home = environment.getOrDefault("HOME", accountHome);
    Path parent = shared.isBlank() ? Path.of(home, ".config") : Path.of(shared);
    return parent.resolve("valetts").resolve("drive.json").toAbsolutePath();
  }
}
