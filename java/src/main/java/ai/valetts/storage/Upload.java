package ai.valetts.storage;

import ai.valetts.storage.StorageException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One checkpoint on its way out: what has been written and read back so far. Used by one thread. */
final class Upload {
  private final Staged staged;
  private final GenerationName name;
  private final String run;
  private final Instant createdAt;
  private final Map<String, Path> sources = new LinkedHashMap<>();
  private final Map<String, FileDigest> digests = new LinkedHashMap<>();
  private final Map<String, GenerationManifest.Entry> done = new LinkedHashMap<>();
  private final List<String> attempted = new ArrayList<>();
  private final Map<String, Integer> attempts = new LinkedHashMap<>();
  private Generation published;
  private long totalBytes;
  private volatile long movedBytes;

  /** Reads the staged files; the archive of the run's files is among them if it is not null. */
  Upload(Staged staged, GenerationName name, String run, Instant createdAt, Path runFiles) {
    this.staged = staged;
    this.name = name;
    this.run = run;
    this.createdAt = createdAt;
    try {
      for (Path file : Outbox.children(staged.directory())) {
        sources.put(file.getFileName().toString(), file);
      }
      if (runFiles != null) {
        sources.put(RunFiles.ARCHIVE, runFiles);
      }
      for (Map.Entry<String, Path> source : sources.entrySet()) {
        FileDigest digest = FileDigest.of(source.getValue());
        digests.put(source.getKey(), digest);
        totalBytes += digest.bytes();
      }
    } catch (IOException e) {
      throw new StorageException(
          Kind.LOCAL, "The checkpoint of step " + staged.step() + " cannot be read: " + FolderStore.reason(e) + ".", e);
    }
  }

  /** A checkpoint whose generation lies in the store already. */
  Upload(Staged staged, Generation published) {
    this.staged = staged;
    this.name = published.name();
    this.run = published.manifest().run();
    this.createdAt = Instant.parse(published.manifest().createdAt());
    this.published = published;
  }

  Staged staged() {
    return staged;
  }

  GenerationName name() {
    return name;
  }

  long totalBytes() {
    return totalBytes;
  }

  /** Part of the bytes that went out, 0 to 1. */
  double fraction() {
    return totalBytes == 0 ? 0 : Math.min(1, (double) movedBytes / totalBytes);
  }

  /** The generation, once its manifest is out; null before. */
  Generation published() {
    return published;
  }

  /** Names that may lie in the store and belong to nothing if this is given up. */
  List<String> attempted() {
    return attempted;
  }

  /** Names of failed attempts, which belong to nothing although this succeeded. */
  List<String> leftovers() {
    List<String> left = new ArrayList<>(attempted);
    done.values().forEach(entry -> left.remove(entry.blob()));
    left.remove(published.manifestBlob());
    return left;
  }

  /** Writes what is not out yet, the manifest last. What was verified once is not sent again. */
  void publish(BlobStore store, Path scratch) {
    for (Map.Entry<String, Path> source : sources.entrySet()) {
      if (done.containsKey(source.getKey())) {
        continue;
      }
      FileDigest digest = digests.get(source.getKey());
      String blob = name.blob(source.getKey(), attempts.merge(source.getKey(), 1, Integer::sum) - 1);
      attempted.add(blob);
      movedBytes = done.values().stream().mapToLong(GenerationManifest.Entry::bytes).sum();
      store.put(blob, source.getValue(), digest, bytes -> movedBytes += bytes);
      done.put(
          source.getKey(),
          new GenerationManifest.Entry(source.getKey(), blob, digest.bytes(), digest.sha256(), digest.md5()));
    }
    List<GenerationManifest.Entry> files = new ArrayList<>(done.values());
    GenerationManifest.Entry runFiles = done.get(RunFiles.ARCHIVE);
    files.remove(runFiles);
    GenerationManifest manifest =
        new GenerationManifest(
            GenerationManifest.FORMAT_VERSION,
            run,
            name.lineage(),
            name.sequence(),
            name.step(),
            createdAt.toString(),
            staged.checkpoint(),
            files,
            runFiles);
    String blob = name.manifest(attempts.merge("", 1, Integer::sum) - 1);
    attempted.add(blob);
    try {
      Files.write(scratch, manifest.toJson());
      store.put(blob, scratch, FileDigest.of(scratch), Transfer.SILENT);
    } catch (IOException e) {
      throw new StorageException(Kind.LOCAL, scratch + " cannot be written: " + FolderStore.reason(e) + ".", e);
    }
    published = new Generation(name, blob, manifest);
  }
}
