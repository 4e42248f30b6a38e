package ai.valetts.storage;

import ai.valetts.storage.StorageException.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The generations of one run in a store. One thread at a time. */
public final class GenerationStore implements AutoCloseable {
  private final BlobStore blobs;
  private final Set<GenerationName> verified = new HashSet<>();
  private final Map<String, GenerationManifest> manifests = new HashMap<>();

  public GenerationStore(BlobStore blobs) {
    this.blobs = blobs;
  }

  /**
   * What a store holds.
   *
   * @param generations whose manifests verify, newest first
   * @param rejected those with a manifest that does not
   * @param bytes of everything in the folder
   * @param unfinished generations without a manifest
   */
  public record Contents(List<Generation> generations, List<Rejected> rejected, long bytes, List<GenerationName> unfinished) {
    /** Tells the runs whose generations lie here. */
    public List<String> lineages() {
      return generations.stream().map(generation -> generation.name().lineage()).distinct().toList();
    }
  }

  /** What a cleaning removed. */
  public record Cleaned(List<GenerationName> removed, long bytes) {}

  public String location() {
    return blobs.location();
  }

  public Space space() {
    return blobs.space();
  }

  /** Whether anything of a generation lies here. */
  public boolean holdsGenerations() {
    return blobs.list().stream().anyMatch(blob -> GenerationName.of(blob.name()).isPresent());
  }

  /** Names of the folders in it. */
  public List<String> folders() {
    return blobs.folders();
  }

  BlobStore blobs() {
    return blobs;
  }

  /** Reads the listing and every manifest. */
  public Contents contents() {
    List<Blob> listing = blobs.list();
    Map<GenerationName, List<String>> withManifest = new TreeMap<>(Comparator.reverseOrder());
    Set<GenerationName> all = new TreeSet<>(Comparator.reverseOrder());
    long bytes = 0;
    for (Blob blob : listing) {
      bytes += blob.bytes();
      Optional<GenerationName> name = GenerationName.of(blob.name());
      name.ifPresent(all::add);
      if (GenerationName.isManifest(blob.name())) {
        name.ifPresent(known -> withManifest.computeIfAbsent(known, n -> new ArrayList<>()).add(blob.name()));
      }
    }
    List<Generation> sound = new ArrayList<>();
    List<Rejected> rejected = new ArrayList<>();
    withManifest.forEach((name, candidates) -> {
      Rejected last = null;
      for (String blob : candidates) {
        try {
          sound.add(new Generation(name, blob, manifest(name, blob)));
          return;
        } catch (StorageException e) {
          rethrowUnlessUnsound(e);
          last = new Rejected(name, e.getMessage());
        }
      }
      rejected.add(last);
    });
    all.removeAll(withManifest.keySet());
    return new Contents(sound, rejected, bytes, List.copyOf(all));
  }

  private static void rethrowUnlessUnsound(StorageException e) {
    if (e.kind() != Kind.DAMAGED && e.kind() != Kind.MISSING) {
      throw e;
    }
  }

  private GenerationManifest manifest(GenerationName name, String blob) {
    GenerationManifest known = manifests.get(blob);
    if (known != null) {
      return known;
    }
    GenerationManifest manifest = GenerationManifest.parse(blob, blobs.read(blob, GenerationManifest.MAX_BYTES));
    if (manifest.sequence() != name.sequence()
        || manifest.step() != name.step()
        || !manifest.lineage().equals(name.lineage())) {
      throw new StorageException(Kind.DAMAGED, blob + " states another generation.");
    }
    manifests.put(blob, manifest);
    return manifest;
  }

  /**
   * Reads back every file of a generation, its manifest included.
   *
   * @throws StorageException MISSING or DAMAGED naming the first file that is not as it was written
   */
  public void verify(Generation generation) {
    verified.remove(generation.name());
    manifests.remove(generation.manifestBlob());
    GenerationManifest found = manifest(generation.name(), generation.manifestBlob());
    if (!found.equals(generation.manifest())) {
      throw new StorageException(Kind.DAMAGED, generation.manifestBlob() + " is not what was written.");
    }
    for (GenerationManifest.Entry entry : found.files()) {
      blobs.verify(entry.blob(), entry.digest());
    }
    if (found.runFiles() != null) {
      blobs.verify(found.runFiles().blob(), found.runFiles().digest());
    }
    verified.add(generation.name());
  }

  /** Fetches a generation's file and checks what arrived. */
  void fetch(GenerationManifest.Entry entry, Path target, Transfer transfer) {
    FileDigest arrived = blobs.get(entry.blob(), target, transfer);
    if (!arrived.equals(entry.digest())) {
      throw new StorageException(Kind.DAMAGED, entry.blob() + " in " + location() + " is damaged: "
          + (arrived.bytes() == entry.bytes()
              ? "its content is not what was written (SHA-256 differs)."
              : arrived.bytes() + " bytes arrived instead of " + entry.bytes() + "."));
    }
  }

  /**
   * Removes what newer verified generations make superfluous. Nothing goes unless {@code keep} generations that are newer
   * have been verified, so that neither a stale listing nor damage can cost the last good ones.
   *
   * @param lineage the run; what belongs to another of the same name stays
   * @param keep at least 2
   * @param maxBytes above which older ones go, two always stay
   * @param dryRun only tell
   */
  public Cleaned clean(String lineage, int keep, long maxBytes, boolean dryRun) {
    List<Blob> listing = blobs.list();
    List<Generation> own = contents().generations().stream()
        .filter(generation -> generation.name().lineage().equals(lineage))
        .toList();
    GenerationName oldestKept = null;
    int kept = 0;
    long bytes = 0;
    for (Generation generation : own) {
      boolean needed = kept < 2;
      boolean wanted = kept < Math.max(2, keep) && bytes + generation.manifest().bytes() <= maxBytes;
      if (!needed && !wanted) {
        break;
      }
      if (isSound(generation)) {
        kept++;
        bytes += generation.manifest().bytes();
        oldestKept = generation.name();
      }
    }
    if (kept < 2) {
      return new Cleaned(List.of(), 0);
    }
    Set<GenerationName> removed = new TreeSet<>();
    long freed = 0;
    List<Blob> doomed = new ArrayList<>();
    for (Blob blob : listing) {
      Optional<GenerationName> name = GenerationName.of(blob.name());
      if (name.isPresent() && name.get().lineage().equals(lineage) && name.get().compareTo(oldestKept) < 0) {
        doomed.add(blob);
        removed.add(name.get());
        freed += blob.bytes();
      }
    }
    // Without its manifest a generation does not exist: the rest can then go in any order.
    doomed.sort(Comparator.comparing(blob -> !GenerationName.isManifest(blob.name())));
    if (!dryRun) {
      for (Blob blob : doomed) {
        blobs.delete(blob.name());
      }
      doomed.forEach(blob -> manifests.remove(blob.name()));
      verified.removeAll(removed);
    }
    return new Cleaned(List.copyOf(removed), freed);
  }

  private boolean isSound(Generation generation) {
    if (verified.contains(generation.name()) && sizesHold(generation)) {
      return true;
    }
    try {
      verify(generation);
      return true;
    } catch (StorageException e) {
      rethrowUnlessUnsound(e);
      return false;
    }
  }

  /** Whether every file is listed with its size; says nothing of their content. */
  public boolean sizesHold(Generation generation) {
    Map<String, Long> sizes = new HashMap<>();
    blobs.list().forEach(blob -> sizes.put(blob.name(), blob.bytes()));
    for (GenerationManifest.Entry entry : generation.manifest().files()) {
      if (!Long.valueOf(entry.bytes()).equals(sizes.get(entry.blob()))) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() {
    blobs.close();
  }
}
