package ai.valetts.storage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What a file's content is known by.
 *
 * @param sha256 hex digest
 * @param md5 hex digest; Google Drive states it for every file
 */
public record FileDigest(long bytes, String sha256, String md5) {
  private static final int CHUNK_BYTES = 1 << 20;

  /** Digest of a local file. */
  public static FileDigest of(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return of(in);
    }
  }

  /** Digest of everything a stream still has. */
  public static FileDigest of(InputStream in) throws IOException {
    return copy(in, OutputStream.nullOutputStream(), Transfer.SILENT);
  }

  /** Copies a stream and tells what went through. */
  static FileDigest copy(InputStream in, OutputStream out, Transfer transfer) throws IOException {
    MessageDigest sha256 = digest("SHA-256");
    MessageDigest md5 = digest("MD5");
    byte[] chunk = new byte[CHUNK_BYTES];
    long bytes = 0;
    for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
      sha256.update(chunk, 0, count);
      md5.update(chunk, 0, count);
      out.write(chunk, 0, count);
      bytes += count;
      transfer.moved(count);
    }
    HexFormat hex = HexFormat.of();
    return new FileDigest(bytes, hex.formatHex(sha256.digest()), hex.formatHex(md5.digest()));
  }

  static MessageDigest digest(String algorithm) {
    try {
      return MessageDigest.getInstance(algorithm);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java runtime has " + algorithm, e);
    }
  }
}
