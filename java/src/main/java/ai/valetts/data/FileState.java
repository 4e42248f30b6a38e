package ai.valetts.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * By what a file is taken for unchanged without being read.
 *
 * @param changedNanos when its content or, where the file system knows that, anything else about it last changed: a time of
 *     modification can be set back, that of the change cannot
 */
record FileState(long bytes, long changedNanos) {

  /**
   * @throws java.nio.file.NoSuchFileException if there is none
   */
  static FileState of(Path file) throws IOException {
    if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
      return new FileState(now.size(), nanos(now.lastModifiedTime()));
    }
    Map<String, Object> now = Files.readAttributes(file, "unix:size,lastModifiedTime,ctime");
    long changed = Math.max(nanos((FileTime) now.get("lastModifiedTime")), nanos((FileTime) now.get("ctime")));
    return new FileState((Long) now.get("size"), changed);
  }

  private static long nanos(FileTime time) {
    return time.to(TimeUnit.NANOSECONDS);
  }
}
