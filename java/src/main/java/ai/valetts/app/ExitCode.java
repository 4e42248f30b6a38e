package ai.valetts.app;

import ai.valetts.audio.AudioException;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.checkpoint.CheckpointWriteException;
import ai.valetts.config.ConfigException;
import ai.valetts.data.DataException;
import ai.valetts.data.corpus.CorpusException;
import ai.valetts.engine.DeviceLostException;
import ai.valetts.engine.EngineException;
import ai.valetts.engine.EngineIoException;
import ai.valetts.engine.OperationCancelledException;
import ai.valetts.storage.StorageException;
import ai.valetts.text.TextException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Locale;

/** How a command ends, and the one place that sorts failures into these codes. Documented in {@code docs/errors.md}. */
public enum ExitCode {
  /** The command did what it was asked. */
  DONE(0),
  /** A defect of ValeTTS, or something it did not foresee. */
  UNEXPECTED(1),
  /** The command line or the configuration is wrong. */
  USAGE(2),
  /** The recordings or their transcripts cannot be used. */
  DATA(3),
  /** The native core, libtorch, the device or memory failed; {@code doctor} found the machine unfit. */
  ENGINE(4),
  /** A file or the disk failed. */
  DISK(5),
  /** A checkpoint cannot be used. */
  CHECKPOINT(6),
  /** Where the copies of a run lie cannot be reached, is full, refuses, or holds nothing sound. */
  STORAGE(7),
  /** The GPU was lost: start {@code resume} in a new process. */
  DEVICE_LOST(75),
  /** Stopped on request, after saving. */
  INTERRUPTED(130);

  private final int code;

  ExitCode(int code) {
    this.code = code;
  }

  public int code() {
    return code;
  }

  /** The code for a failure. */
  public static ExitCode of(Throwable failure) {
    if (failure instanceof StorageException storage) {
      return storage.kind() == StorageException.Kind.LOCAL ? DISK : STORAGE;
    }
    if (isDiskFull(failure)) {
      return DISK;
    }
    if (failure instanceof ConfigException
        || failure instanceof TextException
        || failure instanceof RequestException
        || failure instanceof InvalidPathException) {
      return USAGE;
    }
    if (failure instanceof DataException
        || failure instanceof CorpusException
        || failure instanceof AudioException) {
      return DATA;
    }
    if (failure instanceof CheckpointException) {
      return failure instanceof CheckpointWriteException ? DISK : CHECKPOINT;
    }
    if (failure instanceof DeviceLostException) {
      return DEVICE_LOST;
    }
    if (failure instanceof OperationCancelledException) {
      return INTERRUPTED;
    }
    if (failure instanceof EngineIoException || failure instanceof IOException || failure instanceof UncheckedIOException) {
      return DISK;
    }
    if (failure instanceof EngineException || failure instanceof OutOfMemoryError) {
      return ENGINE;
    }
    return UNEXPECTED;
  }

  /** What to tell a person: one sentence or list, no stack trace. */
  public static String explain(Throwable failure) {
    if (failure instanceof InvalidPathException path) {
      return "the name \"" + path.getInput() + "\" cannot be used here: " + path.getReason()
          + "; where it has letters beyond ASCII, set the locale first: export LC_ALL=C.UTF-8";
    }
    Throwable cause = failure instanceof UncheckedIOException ? failure.getCause() : failure;
    boolean explained = cause != failure && failure.getMessage() != null && !failure.getMessage().equals(cause.toString());
    if (isDiskFull(failure) && !explained && !(failure instanceof CheckpointWriteException)
        && !(failure instanceof StorageException)) {
      return "no space left on the disk"
          + named(failure)
          + "; free some, then run resume: the last complete checkpoint is intact";
    }
    if (failure instanceof OutOfMemoryError) {
      return "Java's memory is used up (" + failure.getMessage() + "); give it more, e.g. java -Xmx4g -jar valetts.jar";
    }
    if (explained) {
      return failure.getMessage();
    }
    if (cause instanceof NoSuchFileException missing) {
      return missing.getFile() + ": there is no such file or folder";
    }
    if (cause instanceof FileSystemException file) {
      return file.getFile() + ": " + reasonOf(file);
    }
    if (of(failure) == UNEXPECTED) {
      return "unexpected " + failure + "; run the command again with --verbose for the full trace";
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }

  private static String reasonOf(FileSystemException failure) {
    boolean wantsFolder = failure instanceof FileAlreadyExistsException
        && failure.getFile() != null
        && !Files.isDirectory(Path.of(failure.getFile()));
    if (wantsFolder || failure instanceof NotDirectoryException) {
      return "is not a folder; move it out of the way";
    }
    if (failure instanceof AccessDeniedException) {
      return "access denied; change its permissions, or choose another place";
    }
    String reason = failure.getReason();
    if (reason == null) {
      // "FileSystemLoopException" reads "file system loop".
      String type = failure.getClass().getSimpleName().replace("Exception", "");
      return type.replaceAll("([a-z])([A-Z])", "$1 $2").toLowerCase(Locale.ROOT);
    }
    if (reason.contains("Not a directory")) {
      return "a part of this path is not a folder; move it out of the way";
    }
    return reason.contains("Read-only") ? reason + "; make it writable, or choose another place" : reason;
  }

  private static boolean isDiskFull(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage());
      if (message.contains("No space left on device") || message.contains("Disk quota exceeded")) {
        return true;
      }
    }
    return false;
  }

  private static String named(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof FileSystemException file && file.getFile() != null) {
        return " that holds " + file.getFile();
      }
    }
    return failure.getMessage() == null ? "" : " (" + failure.getMessage() + ")";
  }
}
