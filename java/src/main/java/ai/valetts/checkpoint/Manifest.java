package ai.valetts.checkpoint;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * {@code manifest.json} of a checkpoint, the last file written into it.
 *
 * @param formatVersion layout of the directory; readers refuse a newer one
 * @param state where the run stood
 * @param identity what the run was started with
 * @param files every other file of the checkpoint
 */
public record Manifest(int formatVersion, TrainState state, RunIdentity identity, List<FileEntry> files) {
  /** The layout this program writes. */
  public static final int FORMAT_VERSION = 1;

  static final String FILE_NAME = "manifest.json";

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .build();

  /**
   * One file of a checkpoint.
   *
   * @param name file name inside the directory
   * @param bytes size
   * @param sha256 hex digest
   */
  public record FileEntry(String name, long bytes, String sha256) {}

  byte[] toJson() throws IOException {
    return JSON.writeValueAsBytes(this);
  }

  /**
   * @throws CheckpointException if it is missing, unreadable or newer than this program
   */
  static Manifest read(Path directory) {
    Path file = directory.resolve(FILE_NAME);
    Manifest manifest;
    try {
      manifest = JSON.readValue(Files.readAllBytes(file), Manifest.class);
    } catch (NoSuchFileException e) {
      throw new CheckpointException("Checkpoint " + directory + " is not complete: " + FILE_NAME + " is missing.");
    } catch (IOException e) {
      throw new CheckpointException("Checkpoint " + directory + " is damaged: " + FILE_NAME + " cannot be read.", e);
    }
    if (manifest.formatVersion() > FORMAT_VERSION) {
      throw new CheckpointException("Checkpoint " + directory + " has format " + manifest.formatVersion()
          + ", this program reads up to " + FORMAT_VERSION + ": use a newer valetts.jar.");
    }
    return manifest;
  }
}
