package ai.valetts.storage;

import ai.valetts.storage.StorageException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/**
 * A run's small files as one archive: a mounted Drive is bad at many small files. Checkpoints, samples and what is
 * private to this machine stay out.
 */
final class RunFiles {
  static final String ARCHIVE = "run-files.zip";

  private static final Set<String> LEFT_OUT =
      Set.of("checkpoints", "samples", "media", "lock", RunPlaces.OUTBOX, RunPlaces.STATUS);
  private static final String TENSORBOARD = "tensorboard";

  /** Holds the samples and media once more. */
  private static final String WANDB = "wandb";
  private static final long LARGEST_BYTES = 256L << 20;

  private RunFiles() {}

  /** Packs them; files that change meanwhile are taken as far as they were. */
  static void pack(Path run, boolean withTensorboard, Path archive) throws IOException {
    try (OutputStream out = Files.newOutputStream(archive);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Path file : files(run, withTensorboard)) {
        zip.putNextEntry(new ZipEntry(run.relativize(file).toString()));
        try (InputStream in = Files.newInputStream(file)) {
          in.transferTo(zip);
        }
        zip.closeEntry();
      }
    }
  }

  private static List<Path> files(Path run, boolean withTensorboard) throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(run, new SimpleFileVisitor<>() {
      @Override
      public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
        String top = top(run, folder);
        boolean skipped = LEFT_OUT.contains(top) || top.equals(WANDB) || !withTensorboard && top.equals(TENSORBOARD);
        return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
      }

      @Override
      public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
        if (attributes.isRegularFile()
            && attributes.size() <= LARGEST_BYTES
            && !LEFT_OUT.contains(top(run, file))
            && !file.getFileName().toString().endsWith(".tmp")) {
          files.add(file);
        }
        return FileVisitResult.CONTINUE;
      }

      @Override
      public FileVisitResult visitFileFailed(Path file, IOException e) {
        return FileVisitResult.CONTINUE;
      }
    });
    Collections.sort(files);
    return files;
  }

  private static String top(Path run, Path file) {
    return run.equals(file) ? "" : run.relativize(file).getName(0).toString();
  }

  /** Unpacks an archive into a run's folder, over what is there. */
  static void unpack(Path archive, Path run) {
    try (InputStream in = Files.newInputStream(archive);
        ZipInputStream zip = new ZipInputStream(in)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Path target = run.resolve(entry.getName()).normalize();
        if (!target.startsWith(run) || LEFT_OUT.contains(top(run, target)) || target.equals(run)) {
          throw new StorageException(Kind.DAMAGED, "The archive of the run's files holds " + entry.getName()
              + ", which does not belong there.");
        }
        Files.createDirectories(target.getParent());
        Files.copy(zip, target, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException | UncheckedIOException e) {
      throw new StorageException(Kind.LOCAL, "The run's files cannot be unpacked into " + run + ": "
          + e.getMessage() + ".", e);
    }
  }
}
