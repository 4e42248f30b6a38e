package ai.valetts.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * The staging folder of a run. Hard links cost no space and no time, and hold a checkpoint's files when the run's own
 * retention removes the checkpoint while it is being copied.
 */
final class Outbox {
  private static final AtomicInteger SERIAL = new AtomicInteger();

  private final Path all;
  private final Path root;

  /**
   * @param all folder of all staging folders; each process has its own in it
   */
  Outbox(Path all) {
    this.all = all;
    this.root = all.resolve(Long.toString(ProcessHandle.current().pid()));
  }

  Path root() {
    return root;
  }

  /** Removes what interrupted programs left. */
  void clear() throws IOException {
    if (!Files.isDirectory(all)) {
      return;
    }
    List<Path> folders;
    try (Stream<Path> entries = Files.list(all)) {
      folders = entries.toList();
    }
    for (Path folder : folders) {
      if (folder.equals(root) || !isOfALiveProcess(folder.getFileName().toString())) {
        deleteTree(folder);
      }
    }
  }

  private static boolean isOfALiveProcess(String name) {
    return name.matches("\\d{1,18}") && ProcessHandle.of(Long.parseLong(name)).map(ProcessHandle::isAlive).orElse(false);
  }

  /** Pins a checkpoint by links; where the file system has none, the checkpoint's own folder is named. */
  Staged stage(long step, Path checkpoint) {
    Path target = root.resolve(checkpoint.getFileName() + "." + SERIAL.getAndIncrement());
    String name = checkpoint.getFileName().toString();
    try {
      Files.createDirectories(target);
      for (Path file : children(checkpoint)) {
        Files.createLink(target.resolve(file.getFileName()), file);
      }
      return new Staged(step, target, name, true);
    } catch (IOException | UnsupportedOperationException e) {
      release(target);
      return new Staged(step, checkpoint, name, false);
    }
  }

  /** Pins a checkpoint that could not be linked by copying it. */
  Staged copied(Staged staged) throws IOException {
    if (staged.linked()) {
      return staged;
    }
    Path target = root.resolve(staged.checkpoint() + "." + SERIAL.getAndIncrement());
    try {
      Files.createDirectories(target);
      for (Path file : children(staged.directory())) {
        Files.copy(file, target.resolve(file.getFileName()));
      }
    } catch (IOException e) {
      release(target);
      throw e;
    }
    return new Staged(staged.step(), target, staged.checkpoint(), true);
  }

  /** Lets a checkpoint go. */
  void release(Staged staged) {
    if (staged.linked()) {
      release(staged.directory());
    }
  }

  private static void release(Path directory) {
    try {
      deleteTree(directory);
    } catch (IOException e) {
      // It is removed at the next start.
    }
  }

  static List<Path> children(Path directory) throws IOException {
    try (Stream<Path> paths = Files.list(directory)) {
      return paths.filter(Files::isRegularFile).sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(root)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    for (Path path : paths) {
      Files.deleteIfExists(path);
    }
  }
}
