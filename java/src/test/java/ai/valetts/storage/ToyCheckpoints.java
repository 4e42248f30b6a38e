package ai.valetts.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/** Checkpoints of a few hundred bytes, whose content follows from their step, and their check. */
final class ToyCheckpoints {
  private ToyCheckpoints() {}

  static Path write(Path run, long step) throws IOException {
    Path directory = Files.createDirectories(run.resolve("checkpoints/step-%08d".formatted(step)));
    Files.write(directory.resolve("generator.safetensors"), content(step, 700));
    Files.write(directory.resolve("optimizer.safetensors"), content(step + 1, 300));
    Files.writeString(directory.resolve("config.yaml"), "name: toy\n");
    Files.writeString(directory.resolve("manifest.json"), Long.toString(step));
    if (!Files.exists(run.resolve("config.yaml"))) {
      Files.writeString(run.resolve("config.yaml"), "name: toy\n");
    }
    Files.writeString(run.resolve("metrics.jsonl"), "{\"step\":" + step + "}\n");
    return directory;
  }

  static byte[] content(long step, int bytes) {
    byte[] content = new byte[bytes];
    new Random(step).nextBytes(content);
    return content;
  }

  /** Refuses a checkpoint in which any byte is not as {@link #write} left it. */
  static void check(Path directory) {
    try {
      long step = Long.parseLong(Files.readString(directory.resolve("manifest.json")));
      if (!Arrays.equals(Files.readAllBytes(directory.resolve("generator.safetensors")), content(step, 700))
          || !Arrays.equals(Files.readAllBytes(directory.resolve("optimizer.safetensors")), content(step + 1, 300))) {
        throw new IllegalStateException(directory + " is damaged");
      }
    } catch (IOException | NumberFormatException e) {
      throw new IllegalStateException(directory + " is damaged: " + e, e);
    }
  }

  static void delete(Path directory) {
    try {
      Outbox.deleteTree(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
