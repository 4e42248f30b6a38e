package ai.valetts.app;

import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.StorageConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.storage.CheckpointSync;
import ai.valetts.storage.Generation;
import ai.valetts.storage.GenerationName;
import ai.valetts.storage.GenerationStore;
import ai.valetts.storage.Rejected;
import ai.valetts.storage.Restore;
import ai.valetts.storage.Space;
import ai.valetts.storage.StorageException;
import ai.valetts.storage.StorageException.Kind;
import ai.valetts.storage.SyncStatus;
import ai.valetts.storage.drive.DriveLogin;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** What a person can do with the copies of a run. */
final class Copies {
  private static final long MEBIBYTE = 1 << 20;
  private static final int PUSH_ATTEMPTS = 5;

  private final Consumer<String> notice;

  Copies(Consumer<String> notice) {
    this.notice = notice;
  }

  /**
   * A run's copies, found.
   *
   * @param config with the place that holds the run's folder, or the run's folder itself
   * @param run name of that folder; empty if the generations lie in the place itself
   */
  private record Found(GenerationStore store, StorageConfig config, String run) implements AutoCloseable {
    @Override
    public void close() {
      store.close();
    }
  }

  /**
   * A run that is here again.
   *
   * @param overrides of its configuration, so that its copies go where it came from
   */
  record Fetched(Path runDirectory, List<ConfigOverride> overrides) {}

  DriveResult run(DriveRequest request) {
    return switch (request.action()) {
      case STATUS -> status(request);
      case PUSH -> push(request);
      case PULL -> {
        Path folder = fetch(request.runDirectory(), request.location(), request.credentials()).runDirectory();
        yield new DriveResult(
            List.of("Run:        " + folder, "Go on:      java -jar valetts.jar resume " + folder), true);
      }
      case CLEAN -> clean(request);
      case LOGIN -> {
        Path target = request.credentials() == null ? Places.driveCredentials() : request.credentials();
        new DriveLogin().run(request.client(), target, notice);
        yield new DriveResult(List.of(), true);
      }
    };
  }

  /** Fetches the newest copy that verifies. */
  Fetched fetch(Path runDirectory, String location, Path credentials) {
    try (Found found = find(runDirectory, location, credentials)) {
      Restore restore = new Restore(found.store(), CheckpointStore::open, notice);
      Path folder =
          runDirectory != null
              ? runDirectory
              : Places.runFolder(restore.run().orElseThrow(() -> nothing(found.store().location())));
      RunDirectory run = new RunDirectory(folder);
      Restore.Restored restored =
          Files.exists(run.config()) ? run.whileLocked(() -> restore.into(run.root())) : restore.into(run.root());
      notice.accept(String.format(Locale.ROOT, "Step %,d is %s %s, every file verified.", restored.generation().step(),
          restored.fetched() ? "now in" : "already in", restored.checkpoint()));
      return new Fetched(folder, overrides(found, restored.generation(), run));
    }
  }

  private static StorageException nothing(String location) {
    return new StorageException(Kind.MISSING, location + " holds no checkpoint that verifies.");
  }

  private static List<ConfigOverride> overrides(Found found, Generation generation, RunDirectory run) {
    String place = found.config().location();
    if (found.run().isEmpty()) {
      int cut = place.lastIndexOf('/');
      if (cut <= 0 || !place.substring(cut + 1).equals(generation.manifest().run())) {
        return List.of();
      }
      place = place.substring(0, cut);
    }
    StorageConfig saved = ConfigLoader.load(run.config(), List.of()).storage();
    return saved != null && saved.location().equals(place)
        ? List.of()
        : List.of(ConfigOverride.text("storage.location", place, "--from-drive " + place));
  }

  private static Found find(Path runDirectory, String location, Path credentials) {
    Path file = runDirectory == null ? null : new RunDirectory(runDirectory).config();
    ValettsConfig local = file != null && Files.isRegularFile(file) ? ConfigLoader.load(file, List.of()) : null;
    StorageConfig known = local == null ? null : local.storage();
    if (location == null && known == null) {
      throw new StorageException(Kind.MISSING, (runDirectory == null ? "No place" : runDirectory + " names no place")
          + " for copies: give --location FOLDER, or set storage.location.");
    }
    String place = location == null ? known.location() : absolute(location);
    StorageConfig config = (known == null ? StorageConfig.at(place) : known.movedTo(place));
    if (credentials != null) {
      config = config.withCredentials(credentials.toString());
    }
    if (local != null) {
      GenerationStore own = open(config, local.name());
      if (location == null || own.holdsGenerations()) {
        return new Found(own, config, local.name());
      }
    }
    GenerationStore whole = open(config, "");
    if (whole.holdsGenerations()) {
      return new Found(whole, config, "");
    }
    List<String> runs = new ArrayList<>();
    for (String folder : whole.folders()) {
      if (open(config, folder).holdsGenerations()) {
        runs.add(folder);
      }
    }
    if (runs.size() > 1) {
      throw new StorageException(Kind.MISSING, whole.location() + " holds the runs " + String.join(", ", runs)
          + ": name one, e.g. " + place + "/" + runs.get(0) + ".");
    }
    if (runs.isEmpty()) {
      throw nothing(whole.location());
    }
    return new Found(open(config, runs.get(0)), config, runs.get(0));
  }

  private static GenerationStore open(StorageConfig config, String folder) {
    return new GenerationStore(RunStorage.open(config, folder, new AtomicInteger()));
  }

  private static String absolute(String location) {
    return location.startsWith(StorageConfig.DRIVE_SCHEME)
        ? location
        : Path.of(location).toAbsolutePath().normalize().toString();
  }

  private DriveResult status(DriveRequest request) {
    List<String> lines = new ArrayList<>();
    if (request.runDirectory() != null) {
      SyncStatus.of(request.runDirectory()).ifPresent(status -> lines.addAll(local(request.runDirectory(), status)));
    }
    boolean good = false;
    try (Found found = find(request.runDirectory(), request.location(), request.credentials())) {
      GenerationStore store = found.store();
      GenerationStore.Contents contents = store.contents();
      lines.add(String.format(Locale.ROOT, "Copies in %s, %,d MiB:", store.location(), contents.bytes() / MEBIBYTE));
      for (Generation generation : contents.generations()) {
        String state = state(store, generation, request.verify());
        good |= !state.startsWith("DAMAGED");
        lines.add(String.format(Locale.ROOT, "  step %,9d  %s  %,6d MiB  %s  %s", generation.step(),
            generation.manifest().createdAt().replaceAll("\\..*", "").replace('T', ' '),
            generation.manifest().bytes() / MEBIBYTE, generation.name(), state));
      }
      for (Rejected rejected : contents.rejected()) {
        lines.add(String.format(Locale.ROOT, "  step %,9d  %s  DAMAGED: %s", rejected.name().step(), rejected.name(),
            rejected.reason()));
      }
      for (GenerationName name : contents.unfinished()) {
        lines.add(String.format(Locale.ROOT, "  step %,9d  %s  unfinished", name.step(), name));
      }
      if (contents.lineages().size() > 1) {
        lines.add("These are " + contents.lineages().size() + " runs of one name; the newest copy counts.");
      }
      lines.addAll(room(store.space()));
    }
    return new DriveResult(lines, good);
  }

  private static String state(GenerationStore store, Generation generation, boolean verify) {
    try {
      if (verify) {
        store.verify(generation);
        return "verified";
      }
      return store.sizesHold(generation) ? "complete" : "DAMAGED: files are missing or cut short";
    } catch (StorageException e) {
      if (e.kind() != Kind.DAMAGED && e.kind() != Kind.MISSING) {
        throw e;
      }
      return "DAMAGED: " + e.getMessage();
    }
  }

  private static List<String> local(Path run, SyncStatus status) {
    List<String> lines = new ArrayList<>();
    lines.add(run + ": " + status.state() + ", "
        + (status.verifiedStep() == null
            ? "no verified copy yet"
            : String.format(Locale.ROOT, "last verified copy: step %,d at %s", status.verifiedStep(),
                status.verifiedAt())));
    if (status.problem() != null) {
      lines.add("  failing since " + status.failingSince() + ": " + status.problem());
    }
    return lines;
  }

  private static List<String> room(Space space) {
    List<String> lines = new ArrayList<>();
    if (space.limitBytes() != null && space.usedBytes() != null) {
      lines.add(String.format(Locale.ROOT, "Room: %,d of %,d MiB are free.",
          space.freeBytes().orElse(0) / MEBIBYTE, space.limitBytes() / MEBIBYTE));
    } else {
      lines.add("Room: unknown; a mounted Drive does not tell its quota.");
    }
    if (space.trashBytes() != null && space.trashBytes() > 0) {
      lines.add(String.format(Locale.ROOT, "Trash: %,d MiB, which count until it is emptied.",
          space.trashBytes() / MEBIBYTE));
    }
    return lines;
  }

  private DriveResult push(DriveRequest request) {
    RunDirectory run = new RunDirectory(request.runDirectory());
    ValettsConfig config = TrainRun.savedConfig(run, List.of(), notice);
    StorageConfig storage = config.storage();
    if (request.location() != null) {
      String place = absolute(request.location());
      storage = storage == null ? StorageConfig.at(place) : storage.movedTo(place);
    }
    if (storage == null) {
      throw new StorageException(
          Kind.MISSING, run.root() + " names no place for copies: give --location FOLDER, or set storage.location.");
    }
    if (request.credentials() != null) {
      storage = storage.withCredentials(request.credentials().toString());
    }
    CheckpointSync sync = RunStorage.unstarted(config.withStorage(storage), run, notice);
    notice.accept("Copying the newest checkpoint of " + run.root() + " to " + storage.location() + " ...");
    long step = sync.pushNewest(PUSH_ATTEMPTS, wait -> Thread.sleep(wait.toMillis()));
    return new DriveResult(
        List.of(String.format(Locale.ROOT, "Step %,d is in %s, every file read back.", step, storage.location())), true);
  }

  private DriveResult clean(DriveRequest request) {
    List<String> lines = new ArrayList<>();
    try (Found found = find(request.runDirectory(), request.location(), request.credentials())) {
      int keep = request.keep() == null ? found.config().keptGenerations() : request.keep();
      for (String lineage : found.store().contents().lineages()) {
        GenerationStore.Cleaned cleaned =
            found.store().clean(lineage, keep, found.config().maxBytes(), request.dryRun());
        for (GenerationName name : cleaned.removed()) {
          lines.add((request.dryRun() ? "Would remove " : "Removed ") + name);
        }
        lines.add(String.format(Locale.ROOT, "%s%,d MiB in %s.", request.dryRun() ? "To be freed: " : "Freed: ",
            cleaned.bytes() / MEBIBYTE, found.store().location()));
      }
      if (lines.isEmpty()) {
        lines.add("Nothing to remove in " + found.store().location() + ".");
      }
    }
    return new DriveResult(lines, true);
  }
}
