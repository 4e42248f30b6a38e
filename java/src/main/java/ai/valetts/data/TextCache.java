package ai.valetts.data;

import ai.valetts.config.TextConfig;
import ai.valetts.data.corpus.CacheFailure;
import ai.valetts.text.TextFrontEnd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;

/**
 * Texts that were read before: espeak-ng and the rules before it take longer than a line of a file. What was read by
 * another version, lexicon, table or setting has another file. Used by one thread.
 */
final class TextCache implements AutoCloseable {
  private static final String UNCACHED = "characters";

  private final TextFrontEnd frontEnd;
  private final Map<String, ReadText> known = new HashMap<>();
  private final LineJournal journal;
  private final FileChannel lockFile;

  /** One line of the file. */
  private record Line(String key, ReadText text) {}

  private TextCache(TextFrontEnd frontEnd, LineJournal journal, FileChannel lockFile) {
    this.frontEnd = frontEnd;
    this.journal = journal;
    this.lockFile = lockFile;
  }

  /**
   * Opens the cache of a front end. While another process adds to it, this one reads what is there and adds nothing.
   *
   * @throws UncheckedIOException if the cache cannot be written
   */
  static TextCache open(Path cacheDir, TextFrontEnd frontEnd, TextConfig config) {
    if (frontEnd.name().equals(UNCACHED)) {
      return new TextCache(frontEnd, null, null);
    }
    Path folder = cacheDir.resolve("texts");
    try {
      Files.createDirectories(folder);
      String name = digest(frontEnd.version() + "|" + config.addBlank() + "|" + frontEnd.symbols().toJson());
      Path file = folder.resolve(name + ".jsonl");
      FileChannel lockFile =
          FileChannel.open(
              folder.resolve(name + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      LineJournal.Content<Line> content = LineJournal.read(file, Line.class);
      boolean mine = isFree(lockFile);
      TextCache cache =
          new TextCache(frontEnd, mine ? LineJournal.append(file, content.soundBytes()) : null, lockFile);
      content.entries().forEach(line -> cache.known.put(line.key, line.text));
      return cache;
    } catch (IOException e) {
      throw unwritable(folder, e);
    }
  }

  /** Takes the lock, which ends with the channel. */
  private static boolean isFree(FileChannel lockFile) throws IOException {
    try {
      FileLock lock = lockFile.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  private static UncheckedIOException unwritable(Path folder, IOException e) {
    return CacheFailure.of("the texts as they were read cannot be kept", folder, e);
  }

  private static String digest(String text) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 12);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * A text, read now or before.
   *
   * @throws ai.valetts.text.TextException if there is no such language
   */
  ReadText read(String text, String language) {
    if (lockFile == null) {
      return ReadText.of(frontEnd.encode(text, language));
    }
    String key = digest(language + "|" + text);
    ReadText before = known.get(key);
    if (before != null) {
      return before;
    }
    ReadText read = ReadText.of(frontEnd.encode(text, language));
    known.put(key, read);
    if (journal != null) {
      try {
        journal.add(new Line(key, read));
      } catch (IOException e) {
        throw new UncheckedIOException("the texts as they were read cannot be kept: " + e.getMessage(), e);
      }
    }
    return read;
  }

  @Override
  public void close() {
    try {
      if (journal != null) {
        journal.close();
      }
      if (lockFile != null) {
        lockFile.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
