package ai.valetts.app;

import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.config.StorageConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.event.Notice;
import ai.valetts.storage.BlobStore;
import ai.valetts.storage.CheckpointSync;
import ai.valetts.storage.FolderStore;
import ai.valetts.storage.TimedStore;
import ai.valetts.storage.drive.AuthorizedUser;
import ai.valetts.storage.drive.DriveStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Opens the stores that copies of a run go to. */
final class RunStorage {
  private RunStorage() {}

  /**
   * The store of one run, or of the folder around all of them.
   *
   * @param folder of the run below the configured place; empty for the place itself
   * @param stuck counts calls that hang
   */
  static BlobStore open(StorageConfig config, String folder, AtomicInteger stuck) {
    Duration timeout = Duration.ofMillis((long) (config.timeout() * 1000));
    return new TimedStore(
        config.isDriveApi() ? drive(config, folder, timeout) : new FolderStore(Path.of(config.location()), folder),
        timeout,
        stuck);
  }

  private static BlobStore drive(StorageConfig config, String folder, Duration timeout) {
    Path configured = config.credentials() == null ? null : Path.of(config.credentials());
    String base = config.location().substring(StorageConfig.DRIVE_SCHEME.length());
    return DriveStore.connect(
        AuthorizedUser.find(configured, System.getenv(), Places.driveCredentials()),
        folder.isEmpty() ? base : base + "/" + folder,
        config.apiUrl(),
        timeout);
  }

  /** Copies the checkpoints of a run, started; null where the configuration names no place. */
  static CheckpointSync sync(ValettsConfig config, RunDirectory run, Consumer<String> notice) {
    if (config.storage() == null) {
      return null;
    }
    CheckpointSync sync = unstarted(config, run, notice);
    sync.start();
    return sync;
  }

  /** The same, to be told what to do. */
  static CheckpointSync unstarted(ValettsConfig config, RunDirectory run, Consumer<String> notice) {
    AtomicInteger stuck = new AtomicInteger();
    return new CheckpointSync(
        config.name(),
        run.root(),
        config.storage(),
        () -> open(config.storage(), config.name(), stuck),
        CheckpointStore::open,
        plainly(notice));
  }

  /** Notices for where there is no bus. */
  private static Consumer<Notice> plainly(Consumer<String> notice) {
    return said -> notice.accept((said.level() == Notice.Level.WARNING ? "WARNING: " : "") + said.text());
  }
}
