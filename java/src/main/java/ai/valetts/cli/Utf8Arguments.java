package ai.valetts.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The arguments as they were given. Java decodes them by the locale, and where there is none, as in many containers,
 * "São" arrives with replacement characters.
 */
final class Utf8Arguments {
  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

  private Utf8Arguments() {}

  /** The same arguments, decoded as UTF-8 where the locale has lost characters and the system still knows them. */
  static String[] recover(String[] decoded) {
    if (Arrays.stream(decoded).noneMatch(argument -> argument.indexOf('\ufffd') >= 0)) {
      return decoded;
    }
    try {
      return recover(decoded, Files.readAllBytes(COMMAND_LINE));
    } catch (IOException e) {
      // Not on Linux: what cannot be read will be named as an unknown symbol.
      return decoded;
    }
  }

  /**
   * @param commandLine the whole command, each word ended by a zero byte; the arguments are the last of them
   */
  static String[] recover(String[] decoded, byte[] commandLine) {
    String[] words = new String(commandLine, StandardCharsets.UTF_8).split("\0", -1);
    int end = words.length - 1;
    return end < decoded.length ? decoded : Arrays.copyOfRange(words, end - decoded.length, end);
  }
}
