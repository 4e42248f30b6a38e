package ai.valetts.data;

import ai.valetts.audio.AudioException;
import ai.valetts.audio.AudioReader;
import ai.valetts.audio.DecodedAudio;
import ai.valetts.audio.WavWriter;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The recordings of one data folder, decoded to 16-bit mono at one rate and kept in a single file, so that training
 * decodes nothing and a slow disk holds one large file instead of thousands.
 *
 * <p>A shard's folder in the cache holds {@code index.json}, the {@code .pcm} file it names, and a lock file. The index
 * is replaced last and in one step, so an interrupted preparation leaves the previous state. Every recording carries a
 * checksum that is verified on opening; damaged, changed and new recordings alone are decoded again.
 */
final class AudioShard implements AutoCloseable {
  /** Raise when decoding changes, so that older caches are not used. */
  private static final int FORMAT = 1;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String INDEX = "index.json";
  private static final long PROGRESS_NANOS = 5_000_000_000L;

  /** File locks do not hold between threads of one process. */
  private static final Object PROCESS_LOCK = new Object();

  /**
   * One recording.
   *
   * @param file as the caller named it
   * @param bytes size of the source file when it was decoded
   * @param modifiedNanos its time of change
   * @param offset first sample in the shard
   * @param crc32c of the samples' bytes
   * @param failure why it could not be decoded, else null
   */
  record Entry(
      String file,
      long bytes,
      long modifiedNanos,
      int sourceSampleRateHz,
      int sourceChannels,
      long offset,
      int samples,
      int crc32c,
      String failure) {

    private Entry at(long newOffset) {
      return new Entry(
          file, bytes, modifiedNanos, sourceSampleRateHz, sourceChannels, newOffset, samples, crc32c, failure);
    }
  }

  /** The index as it is stored; the checksum covers all entries. */
  record Index(int format, int sampleRateHz, String shard, int crc32c, List<Entry> entries) {}

  private record Decoded(Entry entry, byte[] pcm) {}

  private final Map<String, Entry> entries;
  private final Path pcmFile;
  private final RandomAccessFile pcm;

  private AudioShard(Map<String, Entry> entries, Path pcmFile) throws IOException {
    this.entries = entries;
    this.pcmFile = pcmFile;
    this.pcm = new RandomAccessFile(pcmFile.toFile(), "r");
  }

  /**
   * Opens the shard of a folder, decoding what it lacks. Waits while another process prepares the same folder.
   *
   * @param files recordings wanted, absolute
   * @param threads decoding threads, at least 1
   * @throws UncheckedIOException if the cache cannot be written, e.g. because the disk is full
   */
  static AudioShard open(
      Path cacheDir, Path folder, List<Path> files, int sampleRateHz, int threads, Consumer<String> notice) {
    Path home = home(cacheDir, folder, sampleRateHz);
    synchronized (PROCESS_LOCK) {
      try {
        Files.createDirectories(home);
        try (FileChannel lockFile =
                FileChannel.open(home.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = lock(lockFile, folder, notice)) {
          assert lock.isValid();
          return openLocked(home, folder, files, sampleRateHz, threads, notice);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(
            "the prepared recordings of "
                + folder
                + " cannot be kept in "
                + home
                + ": "
                + e.getMessage()
                + "; free some space there, or set VALETTS_CACHE to a folder on another disk",
            e);
      }
    }
  }

  private static FileLock lock(FileChannel lockFile, Path folder, Consumer<String> notice) throws IOException {
    FileLock lock = lockFile.tryLock();
    if (lock == null) {
      notice.accept("another process is preparing " + folder + "; waiting for it");
      lock = lockFile.lock();
    }
    return lock;
  }

  /** One folder per data folder and rate, named so that a person can tell them apart. */
  private static Path home(Path cacheDir, Path folder, int sampleRateHz) {
    String key = folder.toAbsolutePath().normalize() + "|" + sampleRateHz + "|" + FORMAT;
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      String hash = HexFormat.of().formatHex(digest, 0, 8);
      Path name = folder.toAbsolutePath().normalize().getFileName();
      String readable = name == null ? "data" : name.toString().replaceAll("[^A-Za-z0-9._-]", "_");
      return cacheDir.resolve(readable + "-" + sampleRateHz + "-" + hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static AudioShard openLocked(
      Path home, Path folder, List<Path> files, int sampleRateHz, int threads, Consumer<String> notice)
      throws IOException {
    deleteExcept(home, null, ".tmp");
    Index index = readIndex(home, sampleRateHz);
    Map<String, Entry> known = new HashMap<>();
    Path oldPcm = null;
    if (index != null) {
      oldPcm = home.resolve(index.shard);
      int damaged = verify(oldPcm, index.entries, known);
      if (damaged > 0) {
        notice.accept(damaged + " prepared recordings of " + folder + " are damaged and decoded again");
      }
    } else if (Files.exists(home.resolve(INDEX))) {
      notice.accept("the prepared recordings of " + folder + " are damaged and decoded again");
    }
    List<Path> missing = new ArrayList<>();
    for (Path file : files) {
      Entry entry = known.get(file.toString());
      if (entry != null && !unchanged(file, entry)) {
        known.remove(file.toString());
        entry = null;
      }
      if (entry == null) {
        missing.add(file);
      }
    }
    if (!missing.isEmpty() || index == null) {
      known = rebuild(home, folder, oldPcm, known, missing, sampleRateHz, threads, notice);
      index = readIndex(home, sampleRateHz);
      if (index == null) {
        throw new IOException("the index just written cannot be read back");
      }
      deleteExcept(home, index.shard, ".pcm");
    }
    return new AudioShard(known, home.resolve(index.shard));
  }

  private static boolean unchanged(Path file, Entry entry) throws IOException {
    return Files.size(file) == entry.bytes && modifiedNanos(file) == entry.modifiedNanos;
  }

  private static long modifiedNanos(Path file) throws IOException {
    return Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS);
  }

  /** The index, or null where there is none that can be trusted. */
  private static Index readIndex(Path home, int sampleRateHz) {
    try {
      Index index = JSON.readValue(Files.readAllBytes(home.resolve(INDEX)), Index.class);
      boolean trusted =
          index != null
              && index.format == FORMAT
              && index.sampleRateHz == sampleRateHz
              && index.entries != null
              && index.shard != null
              && index.crc32c == checksum(index.entries)
              && Files.isRegularFile(home.resolve(index.shard));
      return trusted ? index : null;
    } catch (IOException e) {
      return null;
    }
  }

  private static int checksum(List<Entry> entries) {
    CRC32C crc = new CRC32C();
    for (Entry entry : entries) {
      crc.update(entry.toString().getBytes(StandardCharsets.UTF_8));
    }
    return (int) crc.getValue();
  }

  /** Puts the entries whose samples are intact into {@code intact}; returns how many are not. */
  private static int verify(Path pcmFile, List<Entry> entries, Map<String, Entry> intact) throws IOException {
    int damaged = 0;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(pcmFile), 1 << 20)) {
      long position = 0;
      for (Entry entry : entries) {
        if (entry.failure != null) {
          intact.put(entry.file, entry);
          continue;
        }
        // Entries lie one behind the other; rebuild() writes them so.
        byte[] bytes = in.readNBytes(entry.samples * Short.BYTES);
        boolean sound =
            entry.offset == position && bytes.length == entry.samples * Short.BYTES && crc(bytes) == entry.crc32c;
        position += entry.samples;
        if (sound) {
          intact.put(entry.file, entry);
        } else {
          damaged++;
        }
      }
    }
    return damaged;
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  /** Writes a new shard of what is known and what is missing, publishes it, and returns its entries. */
  private static Map<String, Entry> rebuild(
      Path home,
      Path folder,
      Path oldPcm,
      Map<String, Entry> known,
      List<Path> missing,
      int sampleRateHz,
      int threads,
      Consumer<String> notice)
      throws IOException {
    Map<String, Entry> written = new LinkedHashMap<>();
    String name = UUID.randomUUID() + ".pcm";
    Path partial = home.resolve(name + ".tmp");
    try {
      try (FileOutputStream file = new FileOutputStream(partial.toFile());
          BufferedOutputStream out = new BufferedOutputStream(file, 1 << 20)) {
        long position = copyKnown(oldPcm, known, out, written);
        Consumer<Decoded> sink = new ShardSink(out, position, written);
        decodeAll(folder, missing, sampleRateHz, threads, sink, notice);
        out.flush();
        file.getFD().sync();
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
      Files.move(partial, home.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(partial);
    }
    List<Entry> entries = List.copyOf(written.values());
    Index index = new Index(FORMAT, sampleRateHz, name, checksum(entries), entries);
    Path partialIndex = home.resolve(INDEX + ".tmp");
    Files.write(partialIndex, JSON.writeValueAsBytes(index));
    try (FileChannel channel = FileChannel.open(partialIndex, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    Files.move(
        partialIndex, home.resolve(INDEX), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    return written;
  }

  private static long copyKnown(
      Path oldPcm, Map<String, Entry> known, BufferedOutputStream out, Map<String, Entry> written)
      throws IOException {
    long position = 0;
    if (oldPcm == null || known.isEmpty()) {
      return position;
    }
    List<Entry> inOrder = new ArrayList<>(known.values());
    inOrder.sort(Comparator.comparingLong(Entry::offset).thenComparing(Entry::file));
    try (RandomAccessFile old = new RandomAccessFile(oldPcm.toFile(), "r")) {
      for (Entry entry : inOrder) {
        if (entry.failure == null) {
          byte[] bytes = new byte[entry.samples * Short.BYTES];
          old.seek(entry.offset * Short.BYTES);
          old.readFully(bytes);
          out.write(bytes);
        }
        written.put(entry.file, entry.at(position));
        position += entry.samples;
      }
    }
    return position;
  }

  /** Appends decoded recordings in the order of the metadata. */
  private static final class ShardSink implements Consumer<Decoded> {
    private final BufferedOutputStream out;
    private final Map<String, Entry> written;
    private long position;

    ShardSink(BufferedOutputStream out, long position, Map<String, Entry> written) {
      this.out = out;
      this.position = position;
      this.written = written;
    }

    @Override
    public void accept(Decoded decoded) {
      try {
        out.write(decoded.pcm);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      written.put(decoded.entry.file, decoded.entry.at(position));
      position += decoded.entry.samples;
    }
  }

  /** Decodes in parallel and hands the results over in order, a few ahead of the writer. */
  private static void decodeAll(
      Path folder,
      List<Path> files,
      int sampleRateHz,
      int threads,
      Consumer<Decoded> sink,
      Consumer<String> notice) {
    ExecutorService pool =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, "valetts-decode");
              thread.setDaemon(true);
              return thread;
            });
    try {
      Iterator<Path> next = files.iterator();
      ArrayDeque<Future<Decoded>> ahead = new ArrayDeque<>();
      long lastNotice = System.nanoTime();
      int done = 0;
      while (next.hasNext() || !ahead.isEmpty()) {
        while (next.hasNext() && ahead.size() < 4 * threads) {
          Path file = next.next();
          ahead.add(pool.submit(() -> decode(file, sampleRateHz)));
        }
        sink.accept(ahead.remove().get());
        done++;
        if (System.nanoTime() - lastNotice > PROGRESS_NANOS) {
          notice.accept(String.format("%s: decoded %,d of %,d recordings", folder, done, files.size()));
          lastNotice = System.nanoTime();
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DataException("interrupted while decoding " + folder);
    } finally {
      pool.shutdownNow();
    }
  }

  private static Decoded decode(Path file, int sampleRateHz) {
    long bytes = 0;
    long modified = 0;
    try {
      bytes = Files.size(file);
      modified = modifiedNanos(file);
      DecodedAudio audio = AudioReader.read(file, sampleRateHz);
      byte[] pcm = pcm(audio.samples());
      return new Decoded(
          new Entry(
              file.toString(),
              bytes,
              modified,
              audio.sourceSampleRateHz(),
              audio.sourceChannels(),
              0,
              audio.samples().length,
              crc(pcm),
              null),
          pcm);
    } catch (AudioException e) {
      return failed(file, bytes, modified, e.reason());
    } catch (IOException e) {
      return failed(file, bytes, modified, "cannot be read: " + e.getMessage());
    }
  }

  private static Decoded failed(Path file, long bytes, long modified, String reason) {
    return new Decoded(new Entry(file.toString(), bytes, modified, 0, 0, 0, 0, 0, reason), new byte[0]);
  }

  private static byte[] pcm(float[] samples) {
    ByteBuffer bytes = ByteBuffer.allocate(samples.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float sample : samples) {
      bytes.putShort(WavWriter.toPcm16(sample));
    }
    return bytes.array();
  }

  private static void deleteExcept(Path home, String kept, String suffix) throws IOException {
    try (Stream<Path> files = Files.list(home)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(suffix) && !name.equals(kept)) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  /** What became of a recording; null for one that was not asked for. */
  Entry entry(Path file) {
    return entries.get(file.toString());
  }

  /** Samples of a decoded recording, -1..1. Not interruptible, so that no thread can close the file for the others. */
  float[] samples(Entry entry) {
    byte[] bytes = new byte[entry.samples * Short.BYTES];
    try {
      synchronized (pcm) {
        pcm.seek(entry.offset * Short.BYTES);
        pcm.readFully(bytes);
      }
    } catch (IOException e) {
      throw new DataException(
          "the prepared recording of " + entry.file + " cannot be read from " + pcmFile + ": " + e.getMessage(), e);
    }
    ByteBuffer pcm16 = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    float[] samples = new float[entry.samples];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = pcm16.getShort(i * Short.BYTES) / (float) Short.MAX_VALUE;
    }
    return samples;
  }

  @Override
  public void close() {
    try {
      pcm.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
