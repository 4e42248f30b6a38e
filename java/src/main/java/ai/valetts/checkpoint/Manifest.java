package ai.valetts.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code manifest.json} of a checkpoint, the last file written into it. From format 2 on it states the SHA-256 of its own
 * bytes, with 64 zeros in the place of that digest, so that no byte of it can change unseen.
 *
 * @param formatVersion layout of the directory; readers refuse a newer one
 * @param state where the run stood
 * @param identity what the run was started with
 * @param files every other file of the checkpoint
 */
public record Manifest(int formatVersion, TrainState state, RunIdentity identity, List<FileEntry> files) {
  /** The layout this program writes. */
  public static final int FORMAT_VERSION = 2;

  static final String FILE_NAME = "manifest.json";

  private static final String OWN_DIGEST = "sha256OfThisFile";
  private static final String NO_DIGEST = "0".repeat(64);
  private static final Pattern STATED = Pattern.compile("\\{\\s*\"" + OWN_DIGEST + "\" : \"([0-9a-f]{64})\"");
  private static final Pattern PLAIN_NAME = Pattern.compile("[^/\\\\\\x00]{1,255}");

  /** Far above what a checkpoint of any size needs. */
  private static final long MAX_BYTES = 16 << 20;

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
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
    ObjectNode tree = JSON.createObjectNode().put(OWN_DIGEST, NO_DIGEST);
    tree.setAll((ObjectNode) JSON.valueToTree(this));
    String text = JSON.writeValueAsString(tree);
    return text.replaceFirst(NO_DIGEST, digest(text)).getBytes(StandardCharsets.UTF_8);
  }

  /**
   * @throws CheckpointException if it is missing, damaged or newer than this program
   */
  static Manifest read(Path directory) {
    Path file = directory.resolve(FILE_NAME);
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw damaged(directory, "is far too large", null);
      }
      return parse(directory, Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      throw new CheckpointException("Checkpoint " + directory + " is not complete: " + FILE_NAME + " is missing.");
    } catch (JsonProcessingException e) {
      throw damaged(directory, "is cut short or altered", e);
    } catch (IOException e) {
      throw damaged(directory, "cannot be read: " + e, e);
    }
  }

  private static Manifest parse(Path directory, byte[] bytes) throws IOException {
    if (bytes.length == 0) {
      throw damaged(directory, "is empty", null);
    }
    JsonNode tree = JSON.readTree(bytes);
    JsonNode version = tree.path("formatVersion");
    if (!tree.isObject() || !version.isInt() || version.intValue() < 1) {
      throw damaged(directory, "states no format", null);
    }
    // A digit that was altered names a format as well as a newer program does: the digest tells them apart.
    boolean digestHolds = digestHolds(bytes);
    if (version.intValue() > FORMAT_VERSION && digestHolds) {
      throw new CheckpointException("Checkpoint " + directory + " has format " + version.intValue()
          + ", this program reads up to " + FORMAT_VERSION + ": use a newer valetts.jar.");
    }
    ObjectNode object = (ObjectNode) tree;
    boolean statesDigest = object.remove(OWN_DIGEST) != null;
    if (version.intValue() > 1 ? !digestHolds : statesDigest) {
      throw damaged(directory, "is not what was saved (SHA-256 differs)", null);
    }
    if (object.get("state") instanceof ObjectNode state) {
      stateOfToday(state);
    }
    Manifest manifest = JSON.treeToValue(object, Manifest.class);
    for (FileEntry entry : manifest.files()) {
      if (entry == null || !PLAIN_NAME.matcher(entry.name()).matches() || entry.name().matches("\\.{1,2}")) {
        throw damaged(directory, "names a file that cannot be", null);
      }
    }
    return manifest;
  }

  /** Fills in what programs before this one did not keep. */
  private static void stateOfToday(ObjectNode state) {
    if (!state.has("validationMelL1")) {
      state.put("validationMelL1", Double.NaN);
    }
    if (!state.has("bestValidationMelL1")) {
      state.set("bestValidationMelL1", state.get("validationMelL1"));
      state.put("validationsSinceBest", 0);
    }
  }

  private static boolean digestHolds(byte[] bytes) {
    // One character for each byte, so that bytes that are no UTF-8 count as well.
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    Matcher stated = STATED.matcher(text);
    if (!stated.lookingAt()) {
      return false;
    }
    String blank = text.substring(0, stated.start(1)) + NO_DIGEST + text.substring(stated.end(1));
    return stated.group(1).equals(digest(blank.getBytes(StandardCharsets.ISO_8859_1)));
  }

  private static String digest(String text) {
    return digest(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String digest(byte[] bytes) {
    return HexFormat.of().formatHex(DurableFiles.newSha256().digest(bytes));
  }

  private static CheckpointException damaged(Path directory, String why, Exception cause) {
    return new CheckpointException("Checkpoint " + directory + " is damaged: " + FILE_NAME + " " + why + ".", cause);
  }
}
