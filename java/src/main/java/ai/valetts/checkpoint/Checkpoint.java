package ai.valetts.checkpoint;

import java.nio.file.Path;

/**
 * A checkpoint that verified: every file is there with the size and digest its manifest states.
 *
 * @param directory where its files lie
 */
public record Checkpoint(Path directory, Manifest manifest) {

  public TrainState state() {
    return manifest.state();
  }

  public Path file(String name) {
    return directory.resolve(name);
  }

  /** Bytes on disk, the manifest not counted. */
  public long bytes() {
    return manifest.files().stream().mapToLong(Manifest.FileEntry::bytes).sum();
  }
}
