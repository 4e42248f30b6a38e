package ai.valetts.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A folder as the operating system shows it. */
final class LocalFiles implements FileAccess {
  private static final Path MOUNTS = Path.of("/proc/mounts");
  private static final Path COLAB_DRIVE = Path.of("/content/drive");

  private final Path base;
  private final Path root;
  private final Path mounts;

  /**
   * @param base folder that is created if the one around it is there
   * @param folder name of the folder in it, created when missing; empty for the base itself
   */
  LocalFiles(Path base, String folder) {
    this(base, folder, MOUNTS);
  }

  LocalFiles(Path base, String folder, Path mounts) {
    this.base = base.toAbsolutePath().normalize();
    this.root = folder.isEmpty() ? this.base : this.base.resolve(folder);
    this.mounts = mounts;
  }

  @Override
  public void open(boolean writing) throws IOException {
    Path around = base.getParent();
    if (isUnmountedDrive(base, mounts)) {
      throw new NoSuchFileException(base + ": Drive is not mounted on " + COLAB_DRIVE
          + "; run drive.mount('" + COLAB_DRIVE + "') in the notebook");
    }
    if (around != null && !Files.isDirectory(around)) {
      throw new NoSuchFileException(base + ": " + around + " is not there; is the drive mounted?");
    }
    if (writing) {
      Files.createDirectories(root);
    }
  }

  /** Writing below an unmounted Drive would fill this machine's own disk and be lost with it. */
  static boolean isUnmountedDrive(Path folder, Path mounts) throws IOException {
    if (!folder.startsWith(COLAB_DRIVE) || !Files.isReadable(mounts)) {
      return false;
    }
    return Files.readAllLines(mounts).stream()
        .map(line -> line.split(" "))
        .noneMatch(fields -> fields.length > 1 && fields[1].equals(COLAB_DRIVE.toString()));
  }

  @Override
  public List<Blob> list() throws IOException {
    List<Blob> blobs = new ArrayList<>();
    for (Path file : children()) {
      try {
        if (Files.isRegularFile(file)) {
          blobs.add(new Blob(file.getFileName().toString(), Files.size(file)));
        }
      } catch (NoSuchFileException e) {
        // Removed since it was listed.
      }
    }
    return blobs;
  }

  @Override
  public List<String> folders() throws IOException {
    return children().stream().filter(Files::isDirectory).map(path -> path.getFileName().toString()).toList();
  }

  /** Nothing where the folder is not there yet; what holds it was seen by {@link #open}. */
  private List<Path> children() throws IOException {
    if (!Files.exists(root)) {
      return List.of();
    }
    try (Stream<Path> paths = Files.list(root)) {
      return paths.sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  @Override
  public long size(String name) throws IOException {
    return Files.size(root.resolve(name));
  }

  @Override
  public OutputStream create(String name) throws IOException {
    FileChannel channel =
        FileChannel.open(root.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    OutputStream stream = Channels.newOutputStream(channel);
    return new OutputStream() {
      @Override
      public void write(int value) throws IOException {
        stream.write(value);
      }

      @Override
      public void write(byte[] bytes, int offset, int count) throws IOException {
        stream.write(bytes, offset, count);
      }

      @Override
      public void close() throws IOException {
        try (channel) {
          if (channel.isOpen()) {
            channel.force(true);
          }
        }
      }
    };
  }

  @Override
  public InputStream read(String name) throws IOException {
    return Files.newInputStream(root.resolve(name));
  }

  @Override
  public void truncate(String name) throws IOException {
    FileChannel.open(root.resolve(name), StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING).close();
  }

  @Override
  public void delete(String name) throws IOException {
    Files.delete(root.resolve(name));
  }

  @Override
  public Space space() throws IOException {
    FileStore disk = Files.getFileStore(root);
    // What a mounted Drive says here is the machine's disk, not the account's quota.
    if (disk.type().startsWith("fuse")) {
      return Space.UNKNOWN;
    }
    long limit = disk.getTotalSpace();
    return limit <= 0 ? Space.UNKNOWN : new Space(limit, limit - disk.getUsableSpace(), null);
  }

  @Override
  public String toString() {
    return root.toString();
  }
}
