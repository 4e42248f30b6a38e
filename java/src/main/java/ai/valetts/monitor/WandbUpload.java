package ai.valetts.monitor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The official client at work beside the run: {@code wandb beta sync --live} follows the growing file, a client that is
 * too old for it uploads at the end. It has a process and a session of its own, so that Ctrl-C does not reach it, reads
 * the key from the environment that it inherits, and writes to {@code upload.log} in the run's folder there. It ends when
 * the file says that the run has, and ten minutes after a run that was killed.
 */
final class WandbUpload {
  private static final String KEY = "WANDB_API_KEY";

  private final Path folder;

  private WandbUpload(Path folder) {
    this.folder = folder;
  }

  /** Starts the client; null where there is none, or no key. */
  static WandbUpload begin(Path folder) throws IOException {
    return begin(folder, System.getenv());
  }

  static WandbUpload begin(Path folder, Map<String, String> environment) throws IOException {
    String path = environment.getOrDefault("PATH", "");
    Optional<String> client = find("wandb", path);
    if (client.isEmpty() || environment.getOrDefault(KEY, "").isBlank()) {
      return null;
    }
    List<String> command = new ArrayList<>();
    find("setsid", path).ifPresent(command::add);
    command.addAll(
        List.of(
            "sh", "-c", script(), "wandb-upload", client.get(), folder.toAbsolutePath().toString(),
            String.valueOf(ProcessHandle.current().pid())));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    builder.environment().putAll(environment);
    // Where the client leaves logs of its own, in wandb/.
    builder.directory(folder.toAbsolutePath().getParent().getParent().toFile());
    builder.redirectErrorStream(true).redirectOutput(folder.resolve("upload.log").toFile());
    builder.start().getOutputStream().close();
    return new WandbUpload(folder);
  }

  /** Tells a client that waits for the end that it has come. */
  void ended() throws IOException {
    Files.write(folder.resolve("ended"), new byte[0]);
  }

  private static Optional<String> find(String program, String path) {
    for (String place : path.split(":")) {
      if (!place.isBlank() && Files.isExecutable(Path.of(place, program))) {
        return Optional.of(Path.of(place, program).toString());
      }
    }
    return Optional.empty();
  }

  private static String script() throws IOException {
    try (InputStream in = WandbUpload.class.getResourceAsStream("wandb-upload.sh")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
