package ai.valetts.storage;

import ai.valetts.storage.StorageException.Kind;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;

/**
 * The last file of a generation. It states its own digest, so that not a byte of it can change unseen.
 *
 * @param formatVersion readers refuse a newer one
 * @param run name of the run
 * @param lineage tells the run from others of its name
 * @param sequence orders the run's generations
 * @param step of the checkpoint
 * @param createdAt time of this machine, ISO 8601
 * @param checkpoint name of the checkpoint's folder
 * @param files of the checkpoint
 * @param runFiles archive with the run's small files; null without one
 */
@JsonPropertyOrder({"formatVersion", "run", "lineage", "sequence", "step", "createdAt", "checkpoint", "files", "runFiles"})
public record GenerationManifest(
    int formatVersion,
    String run,
    String lineage,
    long sequence,
    long step,
    String createdAt,
    String checkpoint,
    List<Entry> files,
    Entry runFiles) {
  /** The form this program writes. */
  public static final int FORMAT_VERSION = 1;

  static final int MAX_BYTES = 4 << 20;

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /**
   * One file.
   *
   * @param path name in the checkpoint's folder
   * @param blob name in the store
   */
  public record Entry(String path, String blob, long bytes, String sha256, String md5) {
    FileDigest digest() {
      return new FileDigest(bytes, sha256, md5);
    }
  }

  /** Bytes of all files, the manifest not counted. */
  public long bytes() {
    return files.stream().mapToLong(Entry::bytes).sum() + (runFiles == null ? 0 : runFiles.bytes());
  }

  byte[] toJson() {
    try {
      ObjectNode envelope = JSON.createObjectNode();
      envelope.set("generation", JSON.valueToTree(this));
      envelope.put("sha256", ownDigest());
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(envelope);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A manifest is plain JSON", e);
    }
  }

  private String ownDigest() throws JsonProcessingException {
    return HexFormat.of().formatHex(FileDigest.digest("SHA-256").digest(JSON.writeValueAsBytes(this)));
  }

  /**
   * @throws StorageException DAMAGED if it is cut short, altered or newer than this program
   */
  static GenerationManifest parse(String name, byte[] json) {
    try {
      JsonNode envelope = JSON.readTree(json);
      if (envelope == null || !envelope.path("generation").isObject()) {
        throw new StorageException(Kind.DAMAGED, name + " is no manifest: it is cut short or empty.");
      }
      int version = envelope.path("generation").path("formatVersion").asInt();
      if (version > FORMAT_VERSION) {
        throw new StorageException(Kind.DAMAGED, name + " has format " + version + ", this program reads up to "
            + FORMAT_VERSION + ": use a newer valetts.jar.");
      }
      GenerationManifest manifest = JSON.treeToValue(envelope.get("generation"), GenerationManifest.class);
      if (!manifest.ownDigest().equals(envelope.path("sha256").asText())) {
        throw new StorageException(Kind.DAMAGED, name + " is not what was written (its own SHA-256 differs).");
      }
      manifest.refuseStrangeNames(name);
      return manifest;
    } catch (IOException e) {
      throw new StorageException(Kind.DAMAGED, name + " is no manifest: it is cut short or altered.", e);
    }
  }

  /** Names become paths on this machine: they must not lead out of their folder. */
  private void refuseStrangeNames(String name) {
    boolean plain = isPlain(checkpoint) && isPlain(run);
    for (Entry entry : files) {
      plain &= isPlain(entry.path()) && isPlain(entry.blob());
    }
    plain &= runFiles == null || isPlain(runFiles.blob());
    if (!plain) {
      throw new StorageException(Kind.DAMAGED, name + " holds names that are no plain file names.");
    }
  }

  private static boolean isPlain(String name) {
    return name.matches("[A-Za-z0-9_-][A-Za-z0-9._-]*");
  }
}
