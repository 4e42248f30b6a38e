package ai.valetts.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/** The operations on a folder's files that {@link FolderStore} needs; each may fail, lie or hang on a mounted drive. */
interface FileAccess {

  /**
   * Sees that what holds the folder is there.
   *
   * @param writing whether to create the folder itself
   * @throws IOException if what should hold it is not there
   */
  void open(boolean writing) throws IOException;

  List<Blob> list() throws IOException;

  List<String> folders() throws IOException;

  /** Bytes of a file. */
  long size(String name) throws IOException;

  /** A new file; closing the stream forces it out. */
  OutputStream create(String name) throws IOException;

  InputStream read(String name) throws IOException;

  void truncate(String name) throws IOException;

  void delete(String name) throws IOException;

  Space space() throws IOException;
}
