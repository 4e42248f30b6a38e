package ai.valetts.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A checkpoint that verified: every file is there with the size and digest its manifest states.
 *
 * @param directory where its files lie
 */
public record Checkpoint(Path directory, Manifest manifest) {
  private static final String PRESENT = "generator.safetensors";
  private static final String RUNNING_MEAN = "generator_average.safetensors";

  /**
   * The generator's weights that speak: the running mean where the run keeps one (optimizer.averageDecay), which is what
   * its validation measured, else the present weights.
   *
   * @param folder a checkpoint's files, or weights brought in from elsewhere
   */
  public static Path voiceWeights(Path folder) {
    Path mean = folder.resolve(RUNNING_MEAN);
    return Files.isRegularFile(mean) ? mean : folder.resolve(PRESENT);
  }

  public Path voiceWeights() {
    return voiceWeights(directory);
  }

  /** Whether {@link #voiceWeights()} are a running mean. */
  public boolean speaksWithMean() {
    return voiceWeights().equals(directory.resolve(RUNNING_MEAN));
  }

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
