package ai.valetts.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Lines of a stream, read as they come. A byte order mark and carriage returns at line ends are dropped. A line that is
 * not UTF-8 can be told by its number, which a decoder over the whole stream could not.
 */
final class Utf8Lines {
  private final InputStream in;
  private int number;
  private String text;

  Utf8Lines(InputStream in) {
    this.in = in;
  }

  /** Reads on to the next line; false at the end. */
  boolean next() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int read = in.read();
    if (read < 0) {
      return false;
    }
    while (read >= 0 && read != '\n') {
      line.write(read);
      read = in.read();
    }
    number++;
    text = decode(line.toByteArray());
    return true;
  }

  private String decode(byte[] line) {
    try {
      String decoded = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
      String unmarked = number == 1 && decoded.startsWith("\ufeff") ? decoded.substring(1) : decoded;
      return unmarked.endsWith("\r") ? unmarked.substring(0, unmarked.length() - 1) : unmarked;
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  /** The line that was read last, without its end; null if it is not UTF-8. */
  String text() {
    return text;
  }

  /** Its number, from 1. */
  int number() {
    return number;
  }
}
