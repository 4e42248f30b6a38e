package ai.valetts.checkpoint;

import ai.valetts.config.CheckpointConfig;
import ai.valetts.engine.EngineIoException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * The checkpoints of one run: {@code step-00000123/}, each whole or not there at all. A checkpoint is built in
 * {@code step-….tmp}, forced to the disk, given its manifest last and then renamed; a crash at any moment leaves the
 * earlier ones as they were. Used by one thread at a time.
 */
public final class CheckpointStore {
  private static final Pattern NAME = Pattern.compile("step-\\d{8,}");
  private static final String UNFINISHED = ".tmp";
  private static final long MEBIBYTE = 1 << 20;

  private final Path root;
  private final Retention retention;
  private final Map<String, byte[]> companions;
  private final Consumer<String> notice;
  private final Set<Path> verified = new HashSet<>();

  /** Writes the tensors of a checkpoint into a directory, e.g. {@code session::save}. */
  public interface TensorWriter {
    void writeInto(Path directory);
  }

  /** Opens a run's checkpoints, of which the newest {@code keep} stay. */
  public CheckpointStore(Path root, int keep, Map<String, byte[]> companions, Consumer<String> notice) {
    this(root, new CheckpointConfig(null, null, keep), companions, notice);
  }

  /**
   * Opens a run's checkpoints and removes what an interrupted writer left.
   *
   * @param root directory of the checkpoints; created when missing
   * @param config says which are kept
   * @param companions small files that belong into every checkpoint, by name
   * @param notice receives a sentence when something was skipped or removed
   * @throws CheckpointWriteException if the directory cannot be written
   */
  public CheckpointStore(
      Path root, CheckpointConfig config, Map<String, byte[]> companions, Consumer<String> notice) {
    this.root = root;
    this.retention = new Retention(config);
    this.companions = Map.copyOf(companions);
    this.notice = notice;
    try {
      Files.createDirectories(root);
      for (Path leftover : DurableFiles.children(root)) {
        if (leftover.getFileName().toString().endsWith(UNFINISHED)) {
          DurableFiles.deleteTree(leftover);
          notice.accept("Removed " + leftover + ", a checkpoint whose writing or removal was interrupted.");
        }
      }
    } catch (IOException e) {
      throw new CheckpointWriteException("Checkpoints cannot be written to " + root + ": " + reason(e) + ".", e);
    }
  }

  /**
   * Publishes a checkpoint once every byte of it was read back, then removes those that no rule keeps.
   *
   * @throws CheckpointWriteException with the cause in words, e.g. a full disk; earlier checkpoints are untouched
   */
  public Checkpoint save(TrainState state, RunIdentity identity, TensorWriter tensors) {
    Path target = root.resolve("step-%08d".formatted(state.step()));
    Path unfinished = root.resolve(target.getFileName() + UNFINISHED);
    try {
      Manifest manifest = build(unfinished, companions, state, identity, tensors);
      open(unfinished);
      publish(unfinished, target);
      verified.add(target);
      prune(target);
      return new Checkpoint(target, manifest);
    } catch (IOException | UncheckedIOException | EngineIoException e) {
      throw failed(root, target, unfinished, e);
    } catch (CheckpointException e) {
      throw e instanceof CheckpointWriteException ? e : failed(root, target, unfinished, e);
    }
  }

  /**
   * Publishes a checkpoint that belongs to no run, such as a voice from elsewhere.
   *
   * @param target folder that does not exist yet
   * @throws CheckpointException if it exists
   * @throws CheckpointWriteException with the cause in words; nothing is left behind
   */
  public static Checkpoint publishAlone(
      Path target, Map<String, byte[]> companions, TrainState state, RunIdentity identity, TensorWriter tensors) {
    Path absolute = target.toAbsolutePath().normalize();
    Path parent = absolute.getParent();
    if (parent == null || Files.exists(absolute)) {
      throw new CheckpointException(target + " is there already: choose another folder, or delete it.");
    }
    Path unfinished = parent.resolve(absolute.getFileName() + UNFINISHED);
    try {
      Files.createDirectories(parent);
      Manifest manifest = build(unfinished, companions, state, identity, tensors);
      Files.move(unfinished, absolute, StandardCopyOption.ATOMIC_MOVE);
      DurableFiles.sync(parent);
      return new Checkpoint(absolute, manifest);
    } catch (IOException | UncheckedIOException | EngineIoException e) {
      throw failed(parent, absolute, unfinished, e);
    } catch (RuntimeException e) {
      removeAfter(e, unfinished);
      throw e;
    }
  }

  private static void removeAfter(RuntimeException failure, Path unfinished) {
    try {
      DurableFiles.deleteTree(unfinished);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /** A whole checkpoint under its temporary name. */
  private static Manifest build(
      Path unfinished, Map<String, byte[]> companions, TrainState state, RunIdentity identity, TensorWriter tensors)
      throws IOException {
    DurableFiles.deleteTree(unfinished);
    Files.createDirectories(unfinished);
    tensors.writeInto(unfinished);
    for (Map.Entry<String, byte[]> companion : companions.entrySet()) {
      Files.write(unfinished.resolve(companion.getKey()), companion.getValue());
    }
    List<Manifest.FileEntry> entries = new ArrayList<>();
    for (Path file : DurableFiles.children(unfinished)) {
      DurableFiles.sync(file);
      entries.add(
          new Manifest.FileEntry(file.getFileName().toString(), Files.size(file), DurableFiles.sha256(file)));
    }
    Manifest manifest = new Manifest(Manifest.FORMAT_VERSION, state, identity, entries);
    DurableFiles.write(unfinished.resolve(Manifest.FILE_NAME), manifest.toJson());
    DurableFiles.sync(unfinished);
    return manifest;
  }

  /** The newest checkpoint that verifies; says which newer ones were passed over and why. */
  public Optional<Checkpoint> newest() {
    Optional<Checkpoint> newest = newest(root, notice);
    newest.ifPresent(checkpoint -> verified.add(checkpoint.directory()));
    return newest;
  }

  /** As {@link #newest()}, for a reader that does not own the run. */
  public static Optional<Checkpoint> newest(Path root, Consumer<String> notice) {
    for (Path directory : published(root)) {
      try {
        return Optional.of(open(directory));
      } catch (CheckpointException e) {
        notice.accept("Skipped a checkpoint: " + e.getMessage());
      }
    }
    return Optional.empty();
  }

  /** What is wrong with each published checkpoint, newest first; a sound one has no line. */
  public static List<String> problems(Path root) {
    List<String> problems = new ArrayList<>();
    for (Path directory : published(root)) {
      try {
        open(directory);
      } catch (CheckpointException e) {
        problems.add(e.getMessage());
      }
    }
    return problems;
  }

  /** Where the newest published checkpoint lies, sound or not. */
  public static Optional<Path> newestPublished(Path root) {
    return published(root).stream().findFirst();
  }

  /** Whether any published checkpoint is there, sound or not. */
  public static boolean anyIn(Path root) {
    return !published(root).isEmpty();
  }

  /**
   * Verifies one checkpoint: every file of the manifest with its size and digest.
   *
   * @throws CheckpointException naming the file that is missing, short or altered
   */
  public static Checkpoint open(Path directory) {
    Manifest manifest = Manifest.read(directory);
    if (NAME.matcher(directory.getFileName().toString()).matches() && step(directory) != manifest.state().step()) {
      throw new CheckpointException("Checkpoint " + directory + " is not what its name says: manifest.json is that of step "
          + manifest.state().step() + ".");
    }
    for (Manifest.FileEntry entry : manifest.files()) {
      Path file = directory.resolve(entry.name());
      try {
        if (!Files.isRegularFile(file)) {
          throw new CheckpointException("Checkpoint " + directory + " is not complete: " + entry.name()
              + " is missing.");
        }
        long bytes = Files.size(file);
        if (bytes != entry.bytes()) {
          throw new CheckpointException("Checkpoint " + directory + " is damaged: " + entry.name() + " has " + bytes
              + " bytes instead of " + entry.bytes() + ".");
        }
        if (!DurableFiles.sha256(file).equals(entry.sha256())) {
          throw new CheckpointException("Checkpoint " + directory + " is damaged: the content of " + entry.name()
              + " is not what was saved (SHA-256 differs).");
        }
      } catch (IOException e) {
        throw new CheckpointException(
            "Checkpoint " + directory + " cannot be read: " + entry.name() + ": " + reason(e) + ".", e);
      }
    }
    return new Checkpoint(directory, manifest);
  }

  /** Published checkpoints, newest first. */
  private static List<Path> published(Path root) {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try {
      List<Path> directories =
          new ArrayList<>(
              DurableFiles.children(root).stream()
                  .filter(path -> NAME.matcher(path.getFileName().toString()).matches())
                  .toList());
      directories.sort((a, b) -> Long.compare(step(b), step(a)));
      return Collections.unmodifiableList(directories);
    } catch (IOException e) {
      throw new CheckpointException("Checkpoints in " + root + " cannot be listed: " + reason(e) + ".", e);
    }
  }

  private static long step(Path directory) {
    return Long.parseLong(directory.getFileName().toString().substring("step-".length()));
  }

  /** Renames into place. A checkpoint of the same step is replaced: it was damaged, or this run went back before it. */
  private void publish(Path unfinished, Path target) throws IOException {
    Path replaced = root.resolve(target.getFileName() + ".replaced" + UNFINISHED);
    DurableFiles.deleteTree(replaced);
    if (Files.exists(target)) {
      Files.move(target, replaced, StandardCopyOption.ATOMIC_MOVE);
    }
    Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE);
    DurableFiles.sync(root);
    DurableFiles.deleteTree(replaced);
  }

  private void prune(Path newest) {
    List<Path> present = new ArrayList<>();
    for (Path directory : published(root)) {
      if (step(directory) > step(newest)) {
        // A future that this run has left by resuming earlier.
        remove(directory);
      } else {
        present.add(directory);
      }
    }
    List<Retention.Candidate> candidates = present.stream().map(CheckpointStore::candidate).toList();
    Set<Long> untouchable = new HashSet<>();
    for (Path directory : present) {
      if (untouchable.size() < retention.untouchable() && isSound(directory)) {
        untouchable.add(step(directory));
      }
    }
    Set<Long> kept = retention.kept(candidates, untouchable);
    present.stream().filter(directory -> !kept.contains(step(directory))).forEach(this::remove);
  }

  /** Reads a checkpoint of an earlier process once; those written here were read back already. */
  private boolean isSound(Path directory) {
    if (verified.contains(directory)) {
      return true;
    }
    try {
      open(directory);
      return verified.add(directory);
    } catch (CheckpointException e) {
      return false;
    }
  }

  private static Retention.Candidate candidate(Path directory) {
    double melL1 = Double.NaN;
    long bytes = 0;
    try {
      melL1 = Manifest.read(directory).state().validationMelL1();
    } catch (CheckpointException e) {
      // Damaged: it is among the best of nothing.
    }
    try {
      for (Path file : DurableFiles.children(directory)) {
        bytes += Files.size(file);
      }
    } catch (IOException e) {
      // What cannot be measured counts as nothing.
    }
    return new Retention.Candidate(step(directory), bytes, melL1);
  }

  /** Takes the name away first, so that a removal that is cut short leaves no damaged checkpoint. */
  private void remove(Path directory) {
    verified.remove(directory);
    Path leftover = root.resolve(directory.getFileName() + UNFINISHED);
    try {
      DurableFiles.deleteTree(leftover);
      Files.move(directory, leftover, StandardCopyOption.ATOMIC_MOVE);
      DurableFiles.deleteTree(leftover);
    } catch (IOException e) {
      notice.accept("An old checkpoint could not be removed: " + directory + ": " + reason(e) + ".");
    }
  }

  private static CheckpointWriteException failed(Path root, Path target, Path unfinished, Exception cause) {
    String leftover = "";
    try {
      DurableFiles.deleteTree(unfinished);
    } catch (IOException e) {
      leftover = " " + unfinished + " could not be removed.";
    }
    String free = "";
    try {
      free = " " + Files.getFileStore(root).getUsableSpace() / MEBIBYTE + " MiB are free on that disk now.";
    } catch (IOException e) {
      // The figure is only advice; without it the sentence still names the cause.
    }
    return new CheckpointWriteException(
        "Checkpoint " + target + " could not be written: " + reason(cause) + "." + free + leftover
            + " Earlier checkpoints are intact: free some space and resume.",
        cause);
  }

  private static String reason(Exception e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.endsWith(".") ? message.substring(0, message.length() - 1) : message;
  }
}
