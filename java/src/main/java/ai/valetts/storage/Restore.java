package ai.valetts.storage;

import ai.valetts.storage.StorageException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** Brings a run back from a store: the newest generation all of which arrives as it was written. */
public final class Restore {
  private static final long MEBIBYTE = 1 << 20;
  private static final String PULLING = ".pulling";

  private final GenerationStore store;
  private final CheckpointSync.CheckpointCheck check;
  private final Consumer<String> notice;

  /**
   * @param check of the checkpoint before it is installed
   * @param notice told which generations were passed over and why, and how far the transfer is
   */
  public Restore(GenerationStore store, CheckpointSync.CheckpointCheck check, Consumer<String> notice) {
    this.store = store;
    this.check = check;
    this.notice = notice;
  }

  /**
   * What was brought back.
   *
   * @param checkpoint folder of the checkpoint; there already if {@code fetched} is false
   * @param rejected newer generations that were passed over
   */
  public record Restored(Generation generation, Path checkpoint, boolean fetched, List<Rejected> rejected) {}

  /** The name of the run whose newest generation this is; empty without a generation. */
  public Optional<String> run() {
    return store.contents().generations().stream().findFirst().map(newest -> newest.manifest().run());
  }

  /**
   * Installs the newest sound generation as a local run.
   *
   * @param folder of the run; a run that is newer, or another run, is not touched
   * @throws StorageException MISSING if the store has no sound generation; LOCAL if the disk fails or is full
   */
  public Restored into(Path folder) {
    RunPlaces run = new RunPlaces(folder);
    GenerationStore.Contents contents = store.contents();
    List<Rejected> rejected = new ArrayList<>();
    for (Rejected damaged : contents.rejected()) {
      reject(damaged, rejected);
    }
    for (Generation generation : contents.generations()) {
      Optional<Path> there = refuseNewer(run, generation);
      if (there.isPresent()) {
        notice.accept("The checkpoint of step " + generation.step() + " is here already: " + there.get());
        return new Restored(generation, there.get(), false, rejected);
      }
      try {
        return new Restored(generation, install(run, generation), true, rejected);
      } catch (StorageException e) {
        if (e.kind() != Kind.DAMAGED && e.kind() != Kind.MISSING) {
          throw e;
        }
        reject(new Rejected(generation.name(), e.getMessage()), rejected);
      }
    }
    throw new StorageException(Kind.MISSING, store.location() + " holds no checkpoint that verifies"
        + (rejected.isEmpty() ? "." : ": " + rejected.size() + " were tried, see above."));
  }

  private void reject(Rejected damaged, List<Rejected> rejected) {
    rejected.add(damaged);
    notice.accept("Passed over " + damaged.name() + " (step " + damaged.name().step() + "): " + damaged.reason());
  }

  /** The checkpoint if the run has it already. */
  private Optional<Path> refuseNewer(RunPlaces run, Generation generation) {
    Optional<Path> newest = CheckpointSync.newestLocal(run.checkpoints());
    if (newest.isEmpty()) {
      return Optional.empty();
    }
    String lineage;
    try {
      lineage = run.lineage();
    } catch (IOException e) {
      throw local(run.root(), e);
    }
    if (!lineage.equals(generation.name().lineage())) {
      throw new StorageException(Kind.LOCAL, run.root() + " holds another run of that name, which is left as it is: give"
          + " a folder of its own, e.g. " + run.root() + "-2.");
    }
    newer(run, generation).ifPresent(step -> {
      throw new StorageException(Kind.LOCAL, String.format(Locale.ROOT,
          "The run in %s is at step %,d, newer than step %,d in %s, and is left as it is: go on with it by valetts resume"
              + " %s", run.root(), step, generation.step(), store.location(), run.root()));
    });
    Path same = run.checkpoints().resolve(generation.manifest().checkpoint());
    return Files.isDirectory(same) && isSound(same) ? Optional.of(same) : Optional.empty();
  }

  /** Step of the newest local checkpoint that is sound and newer. */
  private OptionalLong newer(RunPlaces run, Generation generation) {
    try {
      if (!Files.isDirectory(run.checkpoints())) {
        return OptionalLong.empty();
      }
      try (var folders = Files.list(run.checkpoints())) {
        return folders
            .filter(path -> path.getFileName().toString().matches("step-\\d{1,15}"))
            .filter(path -> CheckpointSync.stepOf(path) > generation.step())
            .filter(this::isSound)
            .mapToLong(CheckpointSync::stepOf)
            .max();
      }
    } catch (IOException e) {
      throw local(run.root(), e);
    }
  }

  private boolean isSound(Path checkpoint) {
    try {
      check.check(checkpoint);
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }

  /** Fetches aside, checks, and only then renames: a transfer that ends half-way leaves no half run. */
  private Path install(RunPlaces run, Generation generation) {
    boolean fresh = CheckpointSync.newestLocal(run.checkpoints()).isEmpty() && !Files.exists(run.root().resolve("config.yaml"));
    Path root = fresh ? run.root().resolveSibling(run.root().getFileName() + PULLING) : run.root();
    String name = generation.manifest().checkpoint();
    Path checkpoints = root.resolve("checkpoints");
    Path unfinished = checkpoints.resolve(name + ".tmp");
    Path archive = checkpoints.resolve(name + ".zip.tmp");
    try {
      if (fresh) {
        Outbox.deleteTree(root);
      }
      Outbox.deleteTree(unfinished);
      Files.createDirectories(unfinished);
      refuseWithoutRoom(root, generation);
      Progress progress = new Progress(generation);
      for (GenerationManifest.Entry entry : generation.manifest().files()) {
        store.fetch(entry, unfinished.resolve(entry.path()), progress);
      }
      try {
        check.check(unfinished);
      } catch (RuntimeException e) {
        throw new StorageException(Kind.DAMAGED, e.getMessage(), e);
      }
      GenerationManifest.Entry runFiles = generation.manifest().runFiles();
      if (runFiles != null) {
        store.fetch(runFiles, archive, progress);
      }
      Outbox.deleteTree(checkpoints.resolve(name));
      Files.move(unfinished, checkpoints.resolve(name), StandardCopyOption.ATOMIC_MOVE);
      if (runFiles != null) {
        RunFiles.unpack(archive, root);
        Files.delete(archive);
      }
      if (!Files.exists(root.resolve("config.yaml"))) {
        Files.copy(checkpoints.resolve(name).resolve("config.yaml"), root.resolve("config.yaml"));
      }
      new RunPlaces(root).rememberLineage(generation.name().lineage());
      if (fresh) {
        moveInto(root, run.root());
      }
      return run.checkpoints().resolve(name);
    } catch (IOException e) {
      throw tidy(local(run.root(), e), fresh ? root : unfinished, archive);
    } catch (StorageException e) {
      throw tidy(e, fresh ? root : unfinished, archive);
    }
  }

  /** An empty folder, as notebooks make them, is no run. */
  private static void moveInto(Path root, Path target) throws IOException {
    if (Files.isDirectory(target)) {
      List<Path> children;
      try (var entries = Files.list(root)) {
        children = new ArrayList<>(entries.toList());
      }
      // The configuration makes it a run: it goes last.
      children.sort((a, b) -> Boolean.compare(a.endsWith("config.yaml"), b.endsWith("config.yaml")));
      for (Path child : children) {
        Path place = target.resolve(child.getFileName());
        Outbox.deleteTree(place);
        Files.move(child, place);
      }
      Files.delete(root);
    } else {
      Files.move(root, target, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private static StorageException tidy(StorageException failure, Path... leftovers) {
    for (Path leftover : leftovers) {
      try {
        Outbox.deleteTree(leftover);
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
    return failure;
  }

  private static StorageException local(Path root, IOException e) {
    return new StorageException(Kind.LOCAL, "The run cannot be written to " + root + ": " + FolderStore.reason(e)
        + ". What lies in the store is untouched.", e);
  }

  private static void refuseWithoutRoom(Path root, Generation generation) throws IOException {
    long free = Files.getFileStore(root).getUsableSpace();
    if (free < generation.manifest().bytes()) {
      throw new IOException(String.format(Locale.ROOT, "No space left on device: %,d MiB are free, %,d are needed",
          free / MEBIBYTE, generation.manifest().bytes() / MEBIBYTE + 1));
    }
  }

  /** Says every tenth how far the transfer is. */
  private final class Progress implements Transfer {
    private final Generation generation;
    private final long total;
    private long moved;
    private long tenths;

    Progress(Generation generation) {
      this.generation = generation;
      this.total = Math.max(1, generation.manifest().bytes());
      notice.accept(String.format(Locale.ROOT, "Fetching step %,d, %,d MiB, from %s", generation.step(),
          total / MEBIBYTE + 1, store.location()));
    }

    @Override
    public void moved(long bytes) {
      moved += bytes;
      if (moved * 10 / total > tenths && total > 64 * MEBIBYTE) {
        tenths = moved * 10 / total;
        notice.accept(String.format(Locale.ROOT, "Fetching step %,d: %d %%", generation.step(), tenths * 10));
      }
    }
  }
}
