package ai.valetts.storage;

import ai.valetts.storage.StorageException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** A store in a folder: local, of the network, or of a mounted Drive. Believes nothing that it has not read back. */
public final class FolderStore implements BlobStore {
  private final FileAccess files;
  private boolean open;
  private boolean writable;

  /**
   * Touches nothing yet.
   *
   * @param base folder that is created if the one around it is there
   * @param folder name of the folder in it, created when missing; empty for the base itself
   */
  public FolderStore(Path base, String folder) {
    this(new LocalFiles(base, folder));
  }

  FolderStore(FileAccess files) {
    this.files = files;
  }

  @Override
  public String location() {
    return files.toString();
  }

  @Override
  public List<Blob> list() {
    return attempt("list", "", () -> files.list());
  }

  @Override
  public List<String> folders() {
    return attempt("list", "", () -> files.folders());
  }

  @Override
  public void put(String name, Path source, FileDigest expected, Transfer transfer) {
    attempt("write", name, () -> {
      try (InputStream in = local(source); OutputStream out = files.create(name)) {
        FileDigest.copy(in, out, transfer);
      }
      return null;
    });
    verify(name, expected);
  }

  private static InputStream local(Path source) {
    try {
      return Files.newInputStream(source);
    } catch (IOException e) {
      throw new StorageException(Kind.LOCAL, source + " cannot be read: " + reason(e) + ".", e);
    }
  }

  @Override
  public void verify(String name, FileDigest expected) {
    attempt("read back", name, () -> {
      long bytes = files.size(name);
      if (bytes != expected.bytes()) {
        throw new StorageException(Kind.DAMAGED, name + " in " + location() + " has " + bytes + " bytes instead of "
            + expected.bytes() + ".");
      }
      FileDigest found;
      try (InputStream in = files.read(name)) {
        found = FileDigest.of(in);
      }
      if (!found.equals(expected)) {
        throw new StorageException(Kind.DAMAGED, "The content of " + name + " in " + location()
            + " is not what was written (SHA-256 differs).");
      }
      return null;
    });
  }

  @Override
  public byte[] read(String name, int maxBytes) {
    return attempt("read", name, () -> {
      try (InputStream in = files.read(name)) {
        byte[] content = in.readNBytes(maxBytes + 1);
        if (content.length > maxBytes) {
          throw new StorageException(Kind.DAMAGED, name + " in " + location() + " is too long.");
        }
        return content;
      }
    });
  }

  @Override
  public FileDigest get(String name, Path target, Transfer transfer) {
    return attempt("read", name, () -> {
      try (InputStream in = files.read(name)) {
        return fetch(in, target, transfer);
      }
    });
  }

  /**
   * Writes a stream to a local file.
   *
   * @throws StorageException LOCAL if the local side fails
   */
  public static FileDigest fetch(InputStream in, Path target, Transfer transfer) throws IOException {
    try (OutputStream out = new LocalOutput(target)) {
      return FileDigest.copy(in, out, transfer);
    }
  }

  @Override
  public void delete(String name) {
    attempt("delete", name, () -> {
      try {
        // A mounted Drive moves deleted files to the trash, which counts against the quota: an empty file does not.
        files.truncate(name);
        files.delete(name);
      } catch (NoSuchFileException e) {
        // It is gone, as asked.
      }
      return null;
    });
  }

  @Override
  public Space space() {
    return attempt("measure", "", () -> files.space());
  }

  @Override
  public void close() {
    // Nothing is held between calls.
  }

  private <T> T attempt(String verb, String name, Operation<T> operation) {
    try {
      boolean writes = verb.equals("write");
      if (!open || writes && !writable) {
        files.open(writes);
        open = true;
        writable |= writes;
      }
      return operation.run();
    } catch (IOException e) {
      String what = name.isEmpty() ? location() : name + " in " + location();
      Kind kind = kindOf(e, name);
      if (kind != Kind.MISSING || name.isEmpty()) {
        // The mount may have gone: look again before the next call.
        open = false;
        writable = false;
      }
      String advice =
          switch (kind) {
            case FULL -> " Free some space there (on Drive: empty the trash).";
            case REFUSED -> " See who may write there.";
            default -> "";
          };
      throw new StorageException(kind, "Cannot " + verb + " " + what + ": " + reason(e) + "." + advice, e);
    }
  }

  private static Kind kindOf(IOException e, String name) {
    String message = String.valueOf(e.getMessage());
    if (message.contains("No space left on device") || message.contains("quota exceeded")) {
      return Kind.FULL;
    }
    if (e instanceof NoSuchFileException && !name.isEmpty()) {
      return Kind.MISSING;
    }
    if (e instanceof AccessDeniedException || message.contains("Read-only file system")) {
      return Kind.REFUSED;
    }
    return Kind.UNAVAILABLE;
  }

  static String reason(IOException e) {
    if (e instanceof FileSystemException file && file.getReason() == null) {
      String what = e instanceof NoSuchFileException ? "there is no such file or folder"
          : e instanceof AccessDeniedException ? "access denied"
          : e instanceof FileAlreadyExistsException ? "it is there already"
          : e.getClass().getSimpleName();
      return file.getFile() + ": " + what;
    }
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return message.endsWith(".") ? message.substring(0, message.length() - 1) : message;
  }

  private interface Operation<T> {
    T run() throws IOException;
  }

  /** Tells failures of the local disk from those of the store. */
  private static final class LocalOutput extends OutputStream {
    private final Path target;
    private final OutputStream out;

    LocalOutput(Path target) {
      this.target = target;
      try {
        this.out = Files.newOutputStream(target);
      } catch (IOException e) {
        throw failed(e);
      }
    }

    @Override
    public void write(int value) {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) {
      try {
        out.write(bytes, offset, count);
      } catch (IOException e) {
        throw failed(e);
      }
    }

    @Override
    public void close() {
      try {
        out.close();
      } catch (IOException e) {
        throw failed(e);
      }
    }

    private StorageException failed(IOException e) {
      return new StorageException(Kind.LOCAL, target + " cannot be written: " + reason(e)
          + ". What lies in the store is untouched.", e);
    }
  }
}
