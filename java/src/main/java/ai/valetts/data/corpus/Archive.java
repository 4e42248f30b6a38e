package ai.valetts.data.corpus;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;

/**
 * A corpus in one file, unpacked to local disk. The folder appears under its name when it is complete; an interrupted
 * unpacking goes on behind the last complete file. Nothing is written outside the folder, and links are refused.
 */
final class Archive {
  private static final List<String> KINDS = List.of(".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".zip");
  private static final String PARTIAL = ".partial";
  private static final String UNFINISHED_FILE = ".valetts-unfinished";
  private static final int BUFFER_BYTES = 1 << 20;
  private static final long PROGRESS_NANOS = 5_000_000_000L;

  /** File locks do not hold between threads of one process. */
  private static final Object PROCESS_LOCK = new Object();

  private final Path archive;
  private final Path target;
  private final Consumer<String> notice;
  private long files;
  private long bytes;
  private long lastNotice = System.nanoTime();

  private Archive(Path archive, Path target, Consumer<String> notice) {
    this.archive = archive;
    this.target = target;
    this.notice = notice;
  }

  /** Whether a file's name says that it is an archive. */
  static boolean isArchive(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return KINDS.stream().anyMatch(name::endsWith);
  }

  /** The file's name without what says that it is an archive. */
  static String plainName(Path file) {
    String name = file.getFileName().toString();
    String lower = name.toLowerCase(Locale.ROOT);
    return KINDS.stream()
        .filter(lower::endsWith)
        .mapToInt(String::length)
        .max()
        .stream()
        .mapToObj(length -> name.substring(0, name.length() - length))
        .findFirst()
        .orElse(name);
  }

  /**
   * The folder with an archive's content; unpacks it unless that was done before.
   *
   * @param root folder of all unpacked archives
   * @throws CorpusException if it is no archive, damaged, or holds entries that could do harm
   * @throws UncheckedIOException if the content cannot be kept, e.g. because the disk is full
   */
  static Path unpack(Path archive, Path root, Consumer<String> notice) {
    if (!Files.isRegularFile(archive) || !isArchive(archive)) {
      throw new CorpusException(
          archive + " is neither a folder nor an archive (" + String.join(", ", KINDS) + "), so it cannot be a corpus");
    }
    synchronized (PROCESS_LOCK) {
      Path done = root;
      try {
        done = root.resolve(folderName(archive));
        if (Files.isDirectory(done)) {
          return done;
        }
        Files.createDirectories(root);
        Path lockFile = root.resolve(done.getFileName() + ".lock");
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = channel.lock()) {
          assert lock.isValid();
          if (!Files.isDirectory(done)) {
            Path partial = done.resolveSibling(done.getFileName() + PARTIAL);
            Files.createDirectories(partial);
            new Archive(archive, partial, notice).unpack();
            Files.move(partial, done, StandardCopyOption.ATOMIC_MOVE);
          }
        }
        return done;
      } catch (EOFException | ZipException e) {
        throw new CorpusException(archive + " is cut short or damaged (" + e.getMessage() + "): fetch it again", e);
      } catch (FileSystemException e) {
        throw unkept(archive, done, e);
      } catch (IOException e) {
        if (String.valueOf(e.getMessage()).contains("No space left")) {
          throw unkept(archive, done, e);
        }
        throw new CorpusException(archive + " cannot be unpacked (" + e.getMessage() + "): fetch it again", e);
      }
    }
  }

  private static UncheckedIOException unkept(Path archive, Path done, IOException e) {
    return CacheFailure.of(archive + " cannot be unpacked (start again, and it goes on where it was)", done, e);
  }

  /** Another file under the same name gets another folder. */
  private static String folderName(Path archive) throws IOException {
    String key = archive + "|" + Files.size(archive) + "|" + Files.getLastModifiedTime(archive);
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      return plainName(archive).replaceAll("[^A-Za-z0-9._-]", "_") + "-" + HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private void unpack() throws IOException {
    notice.accept("unpacking " + archive + " to " + target.getParent());
    String name = archive.getFileName().toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".zip")) {
      unpackZip();
      return;
    }
    if (name.endsWith(".tar")) {
      refuseIfTooLarge(Files.size(archive));
    }
    try (InputStream file = new BufferedInputStream(Files.newInputStream(archive), BUFFER_BYTES);
        InputStream plain = decompressed(name, file);
        TarArchiveInputStream tar = new TarArchiveInputStream(plain, StandardCharsets.UTF_8.name())) {
      TarArchiveEntry entry;
      while ((entry = tar.getNextEntry()) != null) {
        boolean device = entry.isFIFO() || entry.isCharacterDevice() || entry.isBlockDevice();
        if (entry.isLink() || entry.isSymbolicLink() || device) {
          throw refused(entry.getName(), "is a link or a device");
        }
        write(entry.getName(), entry.isDirectory(), entry.getSize(), tar);
      }
    }
  }

  private static InputStream decompressed(String name, InputStream file) throws IOException {
    if (name.endsWith("gz")) {
      return new GZIPInputStream(file, BUFFER_BYTES);
    }
    return name.endsWith("bz2") ? new BZip2CompressorInputStream(file, true) : file;
  }

  private void unpackZip() throws IOException {
    try (ZipFile zip = ZipFile.builder().setPath(archive).get()) {
      long total = 0;
      for (Enumeration<ZipArchiveEntry> entries = zip.getEntries(); entries.hasMoreElements(); ) {
        total += Math.max(0, entries.nextElement().getSize());
      }
      refuseIfTooLarge(total);
      for (Enumeration<ZipArchiveEntry> entries = zip.getEntriesInPhysicalOrder(); entries.hasMoreElements(); ) {
        ZipArchiveEntry entry = entries.nextElement();
        if (entry.isUnixSymlink()) {
          throw refused(entry.getName(), "is a link");
        }
        try (InputStream content = entry.isDirectory() ? InputStream.nullInputStream() : zip.getInputStream(entry)) {
          write(entry.getName(), entry.isDirectory(), entry.getSize(), content);
        }
      }
    }
  }

  private void refuseIfTooLarge(long total) throws IOException {
    long free = Files.getFileStore(target).getUsableSpace();
    if (total > free) {
      throw new FileSystemException(
          target.toString(),
          null,
          String.format(
              Locale.ROOT, "No space left on device: %.2f GB are needed and %.2f GB free", total / 1e9, free / 1e9));
    }
  }

  private void write(String name, boolean isFolder, long size, InputStream content) throws IOException {
    Path file = inside(name);
    if (isFolder) {
      Files.createDirectories(file);
      return;
    }
    if (!Files.isRegularFile(file) || Files.size(file) != size) {
      Files.createDirectories(file.getParent());
      Path unfinished = target.resolve(UNFINISHED_FILE);
      Files.copy(content, unfinished, StandardCopyOption.REPLACE_EXISTING);
      if (size >= 0 && Files.size(unfinished) != size) {
        throw new EOFException(name + " has " + Files.size(unfinished) + " of " + size + " bytes");
      }
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
    files++;
    bytes += Math.max(0, size);
    if (System.nanoTime() - lastNotice > PROGRESS_NANOS) {
      notice.accept(
          String.format(Locale.ROOT, "%s: unpacked %,d files, %.2f GB", archive.getFileName(), files, bytes / 1e9));
      lastNotice = System.nanoTime();
    }
  }

  private Path inside(String name) {
    try {
      String plain = name.replace('\\', '/');
      boolean climbs = List.of(plain.split("/")).contains("..");
      if (climbs || plain.startsWith("/") || plain.matches("[A-Za-z]:.*")) {
        throw refused(name, "points outside the archive");
      }
      Path file = target.resolve(plain).normalize();
      if (!file.startsWith(target)) {
        throw refused(name, "points outside the archive");
      }
      return file;
    } catch (InvalidPathException e) {
      throw refused(name, "is no file name");
    }
  }

  private CorpusException refused(String name, String why) {
    return new CorpusException(
        archive + " is not unpacked: its entry " + name + " " + why + "; unpack it yourself and name the folder");
  }
}
