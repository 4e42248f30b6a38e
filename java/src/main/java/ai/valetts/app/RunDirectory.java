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
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * The files of one run. {@code config.yaml} is the resolved configuration, {@code checkpoints/}, {@code tensorboard/},
 * {@code samples/}, {@code media/} and {@code reports/} speak for themselves, {@code metrics.jsonl} and
 * {@code control.jsonl} are journals, {@code report.html} shows the run, {@code data-report.json} and {@code .html},
 * {@code initial-weights.json}, {@code recordings.json}, {@code summary.json} and {@code evaluation.json} are findings.
 */
record RunDirectory(Path root) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<Path> TRAINED_HERE = ConcurrentHashMap.newKeySet();

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

  /** Reports in words, by step. */
  Path reports() {
    return root.resolve("reports");
  }

  /** Steps that left a network out, with what a person needs to find the recording at fault. */
  Path skipped() {
    return root.resolve("skipped.jsonl");
  }

  /** Settings that were changed during the run. */
  Path changes() {
    return root.resolve("changes.jsonl");
  }

  /** What people decided about changes, for the run to read. */
  Path inbox() {
    return root.resolve("inbox");
  }

  /** The run for a browser. */
  Path page() {
    return root.resolve("report.html");
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
      TRAINED_HERE.add(root);
      try {
        return action.get();
      } finally {
        TRAINED_HERE.remove(root);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether a process on this machine trains it. */
  boolean isBeingTrained() {
    Path file = root.resolve("lock");
    // Closing a file gives up every lock that this process holds on it, so its own are known without looking.
    if (TRAINED_HERE.contains(root)) {
      return true;
    }
    if (!Files.isRegularFile(file)) {
      return false;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.tryLock(0, Long.MAX_VALUE, true) == null;
    } catch (OverlappingFileLockException e) {
      return true;
    } catch (IOException e) {
      return false;
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

  /** Replaces a file as a whole: whoever reads it finds the old text or the new. */
  static void write(Path file, String text) {
    Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
    try {
      Files.writeString(unfinished, text);
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
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

  /** One line of a journal; empty when it is no whole object. */
  static Optional<Map<String, Object>> parseJson(String line) {
    try {
      return Optional.of(JSON.readValue(line, new TypeReference<Map<String, Object>>() {}));
    } catch (JsonProcessingException e) {
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
