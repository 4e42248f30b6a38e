package ai.valetts.data.corpus;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** Says that something cannot be kept in the cache, and what to do, which is not the same for each cause. Stateless. */
public final class CacheFailure {
  private CacheFailure() {}

  /**
   * The exception to throw.
   *
   * @param what the beginning of the sentence, e.g. {@code the prepared recordings of /data/ana cannot be kept}
   * @param folder of the cache that it was to be kept in
   */
  public static UncheckedIOException of(String what, Path folder, IOException cause) {
    return new UncheckedIOException(what + " in " + folder + ": " + reason(cause) + "; " + remedy(cause), cause);
  }

  private static String reason(IOException cause) {
    if (cause instanceof AccessDeniedException) {
      return "access denied";
    }
    if (cause instanceof FileAlreadyExistsException blocked) {
      return blocked.getFile() + " is not a folder";
    }
    boolean named = cause instanceof FileSystemException file && file.getReason() != null;
    return named ? ((FileSystemException) cause).getReason() : String.valueOf(cause.getMessage());
  }

  private static String remedy(IOException cause) {
    String message = String.valueOf(cause.getMessage());
    if (message.contains("No space left") || message.contains("quota exceeded")) {
      return "free some space there, or set VALETTS_CACHE to a folder on another disk";
    }
    if (cause instanceof AccessDeniedException || message.contains("Read-only")) {
      return "make it writable, or set VALETTS_CACHE to a folder that is";
    }
    return cause instanceof FileAlreadyExistsException || message.contains("Not a directory")
        ? "move what is there out of the way, or set VALETTS_CACHE to another folder"
        : "mend that, or set VALETTS_CACHE to a folder on another disk";
  }
}
