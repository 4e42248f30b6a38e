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
import java.util.StringJoiner;

/**
 * The official client at work beside the run: {@code wandb beta sync --live} follows the growing file, a client that is
 * too old for it uploads at the end. It has a process and a session of its own, so that Ctrl-C does not reach it, reads
 * the key from the environment that it inherits, and writes to {@code upload.log} in the run's folder there, where the key
 * is struck out. It ends when the file says that the run has, and ten minutes after a run that was killed.
 */
final class WandbUpload {
  private static final String KEY = "WANDB_API_KEY";

  private final Path folder;

  private WandbUpload(Path folder) {
    this.folder = folder;
  }

  /** What an upload lacks, for a person; empty where it can begin. */
  static String missing(Map<String, String> environment) {
    StringJoiner missing = new StringJoiner(", and ");
    if (find("wandb", environment.getOrDefault("PATH", "")).isEmpty()) {
      missing.add("there is no program wandb on the PATH (pip install wandb)");
    }
    if (environment.getOrDefault(KEY, "").isBlank()) {
      missing.add(KEY + " is not set in the environment");
    }
    return missing.toString();
  }

  /** Starts the client; null where something is {@link #missing}. */
  static WandbUpload begin(Path folder, Map<String, String> environment) throws IOException {
    if (!missing(environment).isEmpty()) {
      return null;
    }
    String path = environment.get("PATH");
    Optional<String> client = find("wandb", path);
    List<String> command = new ArrayList<>();
    find("setsid", path).ifPresent(command::add);
    command.addAll(
        List.of(
            "sh", "-c", script(), "wandb-upload", client.orElseThrow(), folder.toAbsolutePath().toString(),
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
