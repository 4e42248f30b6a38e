package ai.valetts.storage;

import java.nio.file.Path;
import java.util.List;

/**
 * A flat folder of files somewhere else. Names are letters, digits and {@code . _ -}; nothing is ever overwritten. Every
 * method blocks and throws {@link StorageException}. One thread at a time.
 */
public interface BlobStore extends AutoCloseable {

  /** Where it is, for people. */
  String location();

  /** What it says it holds; on a mounted Drive this can be out of date. */
  List<Blob> list();

  /** Names of the folders in it that hold something. */
  List<String> folders();

  /**
   * Writes a file and reads back what arrived.
   *
   * @param name not in use
   * @param expected of the source
   * @throws StorageException DAMAGED if something else arrived
   */
  void put(String name, Path source, FileDigest expected, Transfer transfer);

  /**
   * Reads back what is there.
   *
   * @throws StorageException MISSING or DAMAGED if it is not what is expected
   */
  void verify(String name, FileDigest expected);

  /**
   * Reads a small file.
   *
   * @param maxBytes above which it is refused as damaged
   */
  byte[] read(String name, int maxBytes);

  /**
   * Fetches a file.
   *
   * @param target overwritten
   * @return digest of what was written to the target
   */
  FileDigest get(String name, Path target, Transfer transfer);

  /** Removes a file for good, past any trash where that can be done; one that is not there is no failure. */
  void delete(String name);

  /** Room, as far as it can be known. */
  Space space();

  @Override
  void close();
}
