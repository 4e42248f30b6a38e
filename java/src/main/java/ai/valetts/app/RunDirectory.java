package ai.valetts.app;

import ai.valetts.checkpoint.CheckpointException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The files of one run. {@code config.yaml} is the resolved configuration, {@code checkpoints/}, {@code tensorboard/}
 * and {@code samples/} speak for themselves, {@code metrics.jsonl} and {@code control.jsonl} are journals,
 * {@code data-report.json} and {@code .html}, {@code initial-weights.json}, {@code recordings.json},
 * {@code summary.json} and {@code evaluation.json} are findings.
 */
record RunDirectory(Path root) {
  private static final ObjectMapper JSON = new ObjectMapper();

  RunDirectory {
    root = root.toAbsolutePath().normalize();
  }

  Path config() {
    return root.resolve("config.yaml");
  }

  Path checkpoints() {
    return root.resolve("checkpoints");
  }

  Path tensorboard() {
    return root.resolve("tensorboard");
  }

  Path samples() {
    return root.resolve("samples");
  }

  Path metrics() {
    return root.resolve("metrics.jsonl");
  }

  Path control() {
    return root.resolve("control.jsonl");
  }

  /** Profiles of the speakers' recordings, by speaker. */
  Path recordings() {
    return root.resolve("recordings.json");
  }

  Path summary() {
    return root.resolve("summary.json");
  }

  /** What the synthesized files were like, by file. */
  Path evaluation() {
    return root.resolve("evaluation.json");
  }

  /** What the run began with, if not with new weights. */
  Path initialWeights() {
    return root.resolve("initial-weights.json");
  }

  void create() {
    try {
      Files.createDirectories(root);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Does something while no other process may train this run.
   *
   * @throws CheckpointException if another process trains it
   */
  <T> T whileLocked(Supplier<T> action) {
    Path file = root.resolve("lock");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      if (!isFree(channel)) {
        throw new CheckpointException("The run " + root + " is being trained by another process: wait for it, or give"
            + " this run another name.");
      }
      return action.get();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Takes the lock, which ends with the channel. */
  private static boolean isFree(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void append(Path file, Object line) {
    try {
      String json = JSON.writeValueAsString(line) + "\n";
      Files.writeString(file, json, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The object in a file; empty when there is none that can be read. */
  static Optional<Map<String, Object>> readJson(Path file) {
    try {
      return Optional.of(JSON.readValue(file.toFile(), new TypeReference<Map<String, Object>>() {}));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  static void writeJson(Path file, Object value) {
    try {
      write(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(value) + "\n");
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(file + " cannot be expressed as JSON", e);
    }
  }
}
