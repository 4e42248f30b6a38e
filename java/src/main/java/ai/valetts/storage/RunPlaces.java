package ai.valetts.storage;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.random.RandomGenerator;

/**
 * The files of a run that the copying needs.
 *
 * @param root folder of the run
 */
record RunPlaces(Path root) {
  /** Folder with what is on its way out. */
  static final String OUTBOX = "outbox";

  /** How the copying stands. */
  static final String STATUS = "storage.json";

  /** The run's page, which is copied under its own name. */
  static final String PAGE = "report.html";

  private static final String LINEAGE = "lineage";

  RunPlaces {
    root = root.toAbsolutePath().normalize();
  }

  Path outbox() {
    return root.resolve(OUTBOX);
  }

  Path status() {
    return root.resolve(STATUS);
  }

  Path page() {
    return root.resolve(PAGE);
  }

  Path checkpoints() {
    return root.resolve("checkpoints");
  }

  /** What tells this run from others of its name; empty if it has never been copied. */
  String lineage() throws IOException {
    try {
      String text = Files.readString(root.resolve(LINEAGE)).strip();
      return text.matches("[0-9a-f]{8}") ? text : "";
    } catch (NoSuchFileException e) {
      return "";
    }
  }

  /** The same, given to the run when it has none yet. */
  String lineageOrNew(RandomGenerator random) throws IOException {
    String known = lineage();
    if (!known.isEmpty()) {
      return known;
    }
    String fresh = String.format("%08x", random.nextInt());
    rememberLineage(fresh);
    return fresh;
  }

  void rememberLineage(String lineage) throws IOException {
    writeAtomically(root.resolve(LINEAGE), (lineage + "\n").getBytes(StandardCharsets.US_ASCII));
  }

  static void writeAtomically(Path file, byte[] content) throws IOException {
    Path beside = file.resolveSibling(file.getFileName() + ".tmp");
    Files.write(beside, content);
    Files.move(beside, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }
}
