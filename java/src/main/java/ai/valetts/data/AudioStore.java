package ai.valetts.data;

import ai.valetts.audio.AudioException;
import ai.valetts.config.DataConfig;
import ai.valetts.data.corpus.CacheFailure;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The recordings of one corpus, decoded to 16-bit mono at one rate and kept in a few large files, so that training
 * decodes nothing and a slow disk holds few files instead of thousands.
 *
 * <p>A store's folder in the cache holds shards {@code 00000.pcm}, {@code 00001.pcm}, ..., which are only appended to, and
 * {@code index.jsonl}, which gets a line when a recording's samples are written: an interrupted preparation goes on
 * behind the last line. Unchanged files (size and time of change, else content) are never decoded again. Every recording
 * carries a checksum that is verified when the shard is not as the last preparation left it, and at each reading.
 */
final class AudioStore implements AutoCloseable {
  /** Raise when decoding, trimming or the files change, so that older caches are not used. */
  private static final int FORMAT = 3;

  private static final long SHARD_BYTES = 1L << 30;
  private static final Pattern SHARD = Pattern.compile("([0-9]{5})\\.pcm");
  private static final String INDEX = "index.jsonl";
  private static final String VERIFIED = "verified.json";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Waiting for a network disk costs no processor. */
  private static final int SCAN_THREADS = 16;

  /** Lets several threads read at once. Not channels: an interrupted thread would close them for the others. */
  private static final int READERS = 4;

  /** File locks do not hold between threads of one process. */
  private static final Object PROCESS_LOCK = new Object();

  /**
   * What shapes the samples, and so the store's name.
   *
   * @param trim null leaves silence alone
   */
  record Settings(int sampleRateHz, DataConfig.Trim trim) {}

  /**
   * An open store and what became of the recordings asked for. The entries are not kept by the store: they are needed
   * while rows are checked, and would take memory for the length of a run.
   */
  record Opened(AudioStore store, Map<String, RecordingEntry> entries) {
    RecordingEntry entry(Path file) {
      return entries.get(file.toString());
    }
  }

  /** Where a recording's samples lie. */
  record Location(int shard, long offset, int samples, int crc32c) {
    static Location of(RecordingEntry entry) {
      return new Location(entry.shard(), entry.offset(), entry.samples(), entry.crc32c());
    }
  }

  private final Map<Integer, List<RandomAccessFile>> readers = new HashMap<>();
  private final Path home;

  private AudioStore(Path home, Collection<Integer> shards) throws IOException {
    this.home = home;
    // Opened now: a later preparation may replace the files.
    for (int shard : shards) {
      List<RandomAccessFile> files = new ArrayList<>();
      readers.put(shard, files);
      for (int i = 0; i < READERS; i++) {
        files.add(new RandomAccessFile(shardFile(home, shard).toFile(), "r"));
      }
    }
  }

  /**
   * Opens the store of a corpus, decoding what it lacks. Waits while another process prepares the same corpus.
   *
   * @param files recordings wanted, absolute
   * @param threads decoding threads, at least 1
   * @throws UncheckedIOException if the cache cannot be written, e.g. because the disk is full
   */
  static Opened open(
      Path cacheDir, Path folder, List<Path> files, Settings settings, int threads, PreparationProgress progress) {
    Path home = home(cacheDir, folder, settings);
    synchronized (PROCESS_LOCK) {
      try {
        Files.createDirectories(home);
        try (FileChannel lockFile =
                FileChannel.open(home.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = lock(lockFile, folder, progress)) {
          assert lock.isValid();
          return new Opening(home, folder, settings, threads, progress).open(files);
        }
      } catch (IOException e) {
        throw CacheFailure.of("the prepared recordings of " + folder + " cannot be kept", home, e);
      }
    }
  }

  private static FileLock lock(FileChannel lockFile, Path folder, PreparationProgress progress) throws IOException {
    FileLock lock = lockFile.tryLock();
    if (lock == null) {
      progress.notice("another process is preparing " + folder + "; waiting for it");
      lock = lockFile.lock();
    }
    return lock;
  }

  /** One folder per corpus and settings, named so that a person can tell them apart. */
  private static Path home(Path cacheDir, Path folder, Settings settings) {
    String key = folder.toAbsolutePath().normalize() + "|" + settings + "|" + FORMAT;
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      String hash = HexFormat.of().formatHex(digest, 0, 8);
      Path name = folder.toAbsolutePath().normalize().getFileName();
      String readable = name == null ? "data" : name.toString().replaceAll("[^A-Za-z0-9._-]", "_");
      return cacheDir.resolve(readable + "-" + settings.sampleRateHz + "-" + hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Path shardFile(Path home, int shard) {
    return home.resolve(String.format("%05d.pcm", shard));
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  /** Brings a store up to date, under its lock. */
  private static final class Opening {
    private final Path home;
    private final Path folder;
    private final Settings settings;
    private final int threads;
    private final PreparationProgress progress;

    Opening(Path home, Path folder, Settings settings, int threads, PreparationProgress progress) {
      this.home = home;
      this.folder = folder;
      this.settings = settings;
      this.threads = threads;
      this.progress = progress;
    }

    Opened open(List<Path> files) throws IOException {
      LineJournal.Content<RecordingEntry> journal = LineJournal.read(home.resolve(INDEX), RecordingEntry.class);
      TreeMap<Integer, Long> shards = shards();
      Map<String, RecordingEntry> known = intact(journal, shards);
      List<Path> missing = changed(files, known);
      if (!missing.isEmpty()) {
        int before = files.size() - missing.size();
        if (before > 0) {
          progress.notice(
              String.format("%s: %,d of %,d recordings are prepared already", folder, before, files.size()));
        }
        if (known.isEmpty()) {
          for (int shard : shards.keySet()) {
            Files.delete(shardFile(home, shard));
          }
          shards.clear();
          journal = new LineJournal.Content<>(List.of(), 0, 0);
        }
        append(journal.soundBytes(), shards, known, missing);
        shards = shards();
      }
      writeVerified(shards);
      return new Opened(new AudioStore(home, shards.keySet()), known);
    }

    /** The recordings that are not in the store as they are now. Many are asked for at once: a slow disk answers late. */
    private List<Path> changed(List<Path> files, Map<String, RecordingEntry> known) throws IOException {
      ExecutorService pool = pool("valetts-scan", SCAN_THREADS);
      try {
        List<Future<Boolean>> answers = new ArrayList<>();
        for (Path file : files) {
          RecordingEntry entry = known.get(file.toString());
          answers.add(pool.submit(() -> isChanged(file, entry)));
        }
        List<Path> changed = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
          if (answers.get(i).get()) {
            changed.add(files.get(i));
          }
        }
        return changed;
      } catch (ExecutionException e) {
        throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DataException("interrupted while scanning " + folder);
      } finally {
        pool.shutdownNow();
      }
    }

    private static boolean isChanged(Path file, RecordingEntry entry) throws IOException {
      if (entry == null || entry.fault() == AudioException.Fault.UNREADABLE) {
        return true;
      }
      try {
        return !FileState.of(file).equals(new FileState(entry.bytes(), entry.changedNanos()));
      } catch (NoSuchFileException e) {
        return true;
      }
    }

    private static ExecutorService pool(String name, int threads) {
      return Executors.newFixedThreadPool(
          threads,
          task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
          });
    }

    /** Shards with their sizes. */
    private TreeMap<Integer, Long> shards() throws IOException {
      TreeMap<Integer, Long> shards = new TreeMap<>();
      try (Stream<Path> files = Files.list(home)) {
        for (Path file : files.toList()) {
          Matcher name = SHARD.matcher(file.getFileName().toString());
          if (name.matches()) {
            shards.put(Integer.parseInt(name.group(1)), Files.size(file));
          }
        }
      }
      return shards;
    }

    /** The entries whose samples are sound; shards that are as they were left are not read again. */
    private Map<String, RecordingEntry> intact(LineJournal.Content<RecordingEntry> journal, Map<Integer, Long> shards)
        throws IOException {
      Map<String, RecordingEntry> last = new LinkedHashMap<>();
      for (RecordingEntry entry : journal.entries()) {
        last.remove(entry.file());
        last.put(entry.file(), entry);
      }
      Map<Integer, List<RecordingEntry>> unverified = new TreeMap<>();
      Map<String, List<Long>> verified = readVerified();
      int damaged = journal.damagedLines();
      for (RecordingEntry entry : List.copyOf(last.values())) {
        if (!entry.isDecoded()) {
          continue;
        }
        long end = (entry.offset() + entry.samples()) * Short.BYTES;
        Long size = shards.get(entry.shard());
        if (size == null || end > size) {
          last.remove(entry.file());
          damaged++;
        } else if (!stamp(entry.shard()).equals(verified.get(shardFile(home, entry.shard()).getFileName().toString()))) {
          unverified.computeIfAbsent(entry.shard(), shard -> new ArrayList<>()).add(entry);
        }
      }
      for (Map.Entry<Integer, List<RecordingEntry>> shard : unverified.entrySet()) {
        damaged += verify(shard.getKey(), shard.getValue(), last);
      }
      if (damaged > 0) {
        progress.notice(damaged + " prepared recordings of " + folder + " are damaged and decoded again");
      }
      return last;
    }

    private int verify(int shard, List<RecordingEntry> entries, Map<String, RecordingEntry> last) throws IOException {
      int damaged = 0;
      entries.sort(Comparator.comparingLong(RecordingEntry::offset));
      try (RandomAccessFile file = new RandomAccessFile(shardFile(home, shard).toFile(), "r")) {
        for (RecordingEntry entry : entries) {
          byte[] bytes = new byte[entry.samples() * Short.BYTES];
          file.seek(entry.offset() * Short.BYTES);
          file.readFully(bytes);
          if (crc(bytes) != entry.crc32c()) {
            last.remove(entry.file());
            damaged++;
          }
        }
      }
      return damaged;
    }

    /** Size and time of change of a shard. */
    private List<Long> stamp(int shard) throws IOException {
      FileState state = FileState.of(shardFile(home, shard));
      return List.of(state.bytes(), state.changedNanos());
    }

    private Map<String, List<Long>> readVerified() {
      try {
        return JSON.readValue(home.resolve(VERIFIED).toFile(), new TypeReference<Map<String, List<Long>>>() {});
      } catch (IOException e) {
        return Map.of();
      }
    }

    private void writeVerified(TreeMap<Integer, Long> shards) throws IOException {
      Map<String, List<Long>> stamps = new TreeMap<>();
      for (int shard : shards.keySet()) {
        stamps.put(shardFile(home, shard).getFileName().toString(), stamp(shard));
      }
      if (!stamps.equals(readVerified())) {
        Path partial = home.resolve(VERIFIED + ".tmp");
        Files.write(partial, JSON.writeValueAsBytes(stamps));
        Files.move(
            partial, home.resolve(VERIFIED), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      }
    }

    private void append(
        long journalBytes, TreeMap<Integer, Long> shards, Map<String, RecordingEntry> known, List<Path> missing)
        throws IOException {
      try (ShardWriter writer = new ShardWriter(home, journalBytes, shards, known)) {
        Map<String, RecordingEntry> byContent = new HashMap<>();
        known.values().stream().filter(RecordingEntry::isDecoded).forEach(entry -> byContent.put(entry.sha256(), entry));
        decodeAll(missing, Map.copyOf(byContent), writer::write);
        writer.sync();
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
    }

    /** Decodes in parallel and hands the results over in order, a few ahead of the writer. */
    private void decodeAll(
        List<Path> files, Map<String, RecordingEntry> byContent, Consumer<RecordingDecoder.Decoded> sink) {
      ExecutorService pool = pool("valetts-decode", threads);
      RecordingDecoder decoder = new RecordingDecoder(settings, byContent);
      try {
        Iterator<Path> next = files.iterator();
        ArrayDeque<Future<RecordingDecoder.Decoded>> ahead = new ArrayDeque<>();
        int done = 0;
        while (next.hasNext() || !ahead.isEmpty()) {
          while (next.hasNext() && ahead.size() < 4 * threads) {
            Path file = next.next();
            ahead.add(pool.submit(() -> decoder.decode(file)));
          }
          sink.accept(ahead.remove().get());
          done++;
          progress.step(folder + ": recordings", done, files.size());
        }
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RuntimeException failure) {
          throw failure;
        }
        if (e.getCause() instanceof Error error) {
          throw error;
        }
        throw new IllegalStateException(e.getCause());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DataException("interrupted while decoding " + folder);
      } finally {
        pool.shutdownNow();
      }
    }
  }

  /** Appends samples to the newest shard, then their line to the journal. */
  private static final class ShardWriter implements AutoCloseable {
    private final Path home;
    private final LineJournal journal;
    private final Map<String, RecordingEntry> known;
    private RandomAccessFile file;
    private int shard;
    private long position;

    ShardWriter(Path home, long journalBytes, TreeMap<Integer, Long> shards, Map<String, RecordingEntry> known)
        throws IOException {
      this.home = home;
      this.known = known;
      this.shard = shards.isEmpty() ? 0 : shards.lastKey();
      // An unfinished sample may be at the end; nothing points there.
      long size = shards.isEmpty() ? 0 : shards.lastEntry().getValue();
      this.position = (size + Short.BYTES - 1) / Short.BYTES * Short.BYTES;
      this.journal = LineJournal.append(home.resolve(INDEX), journalBytes);
      this.file = new RandomAccessFile(shardFile(home, shard).toFile(), "rw");
    }

    void write(RecordingDecoder.Decoded decoded) {
      try {
        RecordingEntry entry = decoded.entry();
        if (decoded.pcm().length > 0) {
          if (position > 0 && position + decoded.pcm().length > SHARD_BYTES) {
            sync();
            file.close();
            shard++;
            position = 0;
            file = new RandomAccessFile(shardFile(home, shard).toFile(), "rw");
          }
          file.seek(position);
          file.write(decoded.pcm());
          entry = entry.at(shard, position / Short.BYTES);
          position += decoded.pcm().length;
        }
        journal.add(entry);
        known.remove(entry.file());
        known.put(entry.file(), entry);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    void sync() throws IOException {
      file.getFD().sync();
      journal.sync();
    }

    @Override
    public void close() throws IOException {
      file.close();
      journal.close();
    }
  }

  /**
   * Samples of a decoded recording, -1..1. Not interruptible, so that no thread can close the file for the others.
   *
   * @param file its source, for messages
   * @throws DataException if they are not as they were written
   */
  float[] samples(Location at, Path file) {
    byte[] bytes = new byte[at.samples * Short.BYTES];
    List<RandomAccessFile> files = readers.get(at.shard);
    RandomAccessFile pcm = files.get((int) (Thread.currentThread().getId() % READERS));
    try {
      synchronized (pcm) {
        pcm.seek(at.offset * Short.BYTES);
        pcm.readFully(bytes);
      }
    } catch (EOFException e) {
      throw unreadable(at, file, "the file was cut", e);
    } catch (IOException e) {
      throw unreadable(at, file, e.getMessage(), e);
    }
    if (crc(bytes) != at.crc32c) {
      throw unreadable(at, file, "its checksum is wrong", null);
    }
    ByteBuffer pcm16 = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    float[] samples = new float[at.samples];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = pcm16.getShort(i * Short.BYTES) / (float) Short.MAX_VALUE;
    }
    return samples;
  }

  private DataException unreadable(Location at, Path file, String why, Throwable cause) {
    return new DataException(
        "the prepared recording of "
            + file
            + " cannot be read from "
            + shardFile(home, at.shard)
            + ": "
            + why
            + "; start again, and it is decoded anew",
        cause);
  }

  @Override
  public void close() {
    try {
      for (List<RandomAccessFile> files : readers.values()) {
        for (RandomAccessFile file : files) {
          file.close();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
