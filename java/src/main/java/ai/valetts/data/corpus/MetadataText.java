package ai.valetts.data.corpus;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A metadata file, line by line. One line that is not UTF-8 spoils that line alone.
 *
 * @param lines all lines, blank ones too
 */
record MetadataText(Path file, List<Line> lines) {
  /** No table of utterances is this large, and Java could not hold it in one piece. */
  private static final long MAX_BYTES = 1L << 30;

  private static final int SHOWN = 60;

  /**
   * @param number from 1
   * @param findings about the line as such: its encoding, its end, a byte order mark before it
   */
  record Line(int number, String text, List<Finding> findings) {}

  static MetadataText read(Path file) {
    byte[] bytes;
    try {
      long size = Files.size(file);
      if (size > MAX_BYTES) {
        throw new CorpusException(
            String.format(
                Locale.ROOT,
                "%s is %.1f GB large: that is no table of recordings; name the right file in metadata",
                file,
                size / 1e9));
      }
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read: " + e.getMessage(), e);
    }
    return of(file, bytes);
  }

  static MetadataText of(Path file, byte[] bytes) {
    if (startsWith(bytes, 0xff, 0xfe)) {
      return utf16(file, bytes, StandardCharsets.UTF_16LE);
    }
    if (startsWith(bytes, 0xfe, 0xff)) {
      return utf16(file, bytes, StandardCharsets.UTF_16BE);
    }
    List<Line> lines = new ArrayList<>();
    boolean marked = startsWith(bytes, 0xef, 0xbb, 0xbf);
    int start = marked ? 3 : 0;
    boolean toldOfEnds = false;
    while (start <= bytes.length) {
      int end = start;
      while (end < bytes.length && bytes[end] != '\n' && bytes[end] != '\r') {
        end++;
      }
      List<Finding> findings = new ArrayList<>();
      if (marked && lines.isEmpty()) {
        findings.add(new Finding(Finding.Kind.BYTE_ORDER_MARK, "the file begins with a byte order mark, which is skipped"));
      }
      boolean windows = end + 1 < bytes.length && bytes[end] == '\r' && bytes[end + 1] == '\n';
      if (windows && !toldOfEnds) {
        toldOfEnds = true;
        findings.add(
            new Finding(Finding.Kind.WINDOWS_LINE_ENDS, "this is the first line that ends as on Windows, which is fine"));
      }
      lines.add(line(lines.size() + 1, bytes, start, end, findings));
      start = end + (windows ? 2 : 1);
    }
    return new MetadataText(file, lines);
  }

  private static Line line(int number, byte[] bytes, int start, int end, List<Finding> findings) {
    ByteBuffer content = ByteBuffer.wrap(bytes, start, end - start);
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(content.duplicate())
              .toString();
      return new Line(number, text, findings);
    } catch (CharacterCodingException e) {
      // The ASCII part is kept, so that the row can be named.
      String guess = Charset.forName("windows-1252").decode(content.duplicate()).toString();
      String shown = guess.length() > SHOWN ? guess.substring(0, SHOWN) + "..." : guess;
      findings.add(
          new Finding(
              Finding.Kind.WRONG_ENCODING,
              "the line is not UTF-8; as Windows-1252 it reads \"" + shown + "\": save the file as UTF-8"));
      return new Line(number, StandardCharsets.UTF_8.decode(content).toString(), findings);
    }
  }

  private static MetadataText utf16(Path file, byte[] bytes, Charset charset) {
    String[] texts = new String(bytes, 2, bytes.length - 2, charset).split("\r\n|\n|\r", -1);
    List<Line> lines = new ArrayList<>();
    for (int i = 0; i < texts.length; i++) {
      lines.add(
          new Line(
              i + 1,
              texts[i],
              i > 0
                  ? List.of()
                  : List.of(
                      new Finding(
                          Finding.Kind.BYTE_ORDER_MARK, "the file is UTF-16 by its byte order mark and is read so"))));
    }
    return new MetadataText(file, lines);
  }

  private static boolean startsWith(byte[] bytes, int... mark) {
    for (int i = 0; i < mark.length; i++) {
      if (i >= bytes.length || (bytes[i] & 0xff) != mark[i]) {
        return false;
      }
    }
    return true;
  }
}
