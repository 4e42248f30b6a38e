package ai.valetts.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a user wants words to be said. A line is a word or several, a tab, and other words or phonemes between double
 * brackets; {@code #} begins a comment. An entry in small letters also stands for the word with capitals; an entry with
 * a capital stands for that spelling alone. Immutable.
 */
final class Lexicon {
  static final Lexicon EMPTY = new Lexicon(Map.of(), Map.of(), new byte[0]);

  private static final int DIGEST_CHARACTERS = 8;

  /** An entry and where it stands. */
  record Entry(String spoken, String place) {}

  private final Map<String, Entry> exact;
  private final Map<String, Entry> anyCase;
  private final byte[] file;
  private final Pattern pattern;

  private Lexicon(Map<String, Entry> exact, Map<String, Entry> anyCase, byte[] file) {
    this.exact = exact;
    this.anyCase = anyCase;
    this.file = file;
    List<String> words = new ArrayList<>(exact.keySet());
    words.addAll(anyCase.keySet());
    words.sort((a, b) -> a.length() == b.length() ? a.compareTo(b) : b.length() - a.length());
    pattern =
        words.isEmpty()
            ? null
            : Pattern.compile(
                "(?<![\\p{L}\\p{M}\\p{N}])(?:"
                    + String.join("|", words.stream().map(Pattern::quote).toList())
                    + ")(?![\\p{L}\\p{M}\\p{N}])",
                Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
  }

  /**
   * Reads a file.
   *
   * @throws TextException if it is missing, not UTF-8, or a line is no entry; names file and line
   */
  static Lexicon read(Path file) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (java.nio.file.NoSuchFileException e) {
      throw new TextException("text.lexicon: there is no file " + file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read: " + e.getMessage(), e);
    }
    String content;
    try {
      content = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new TextException(file + " is not UTF-8 text");
    }
    Map<String, Entry> exact = new LinkedHashMap<>();
    Map<String, Entry> anyCase = new LinkedHashMap<>();
    String[] lines = content.replaceFirst("^\ufeff", "").split("\r\n|\n|\r", -1);
    for (int i = 0; i < lines.length; i++) {
      if (!lines[i].isBlank() && !lines[i].startsWith("#")) {
        add(lines[i], file + ":" + (i + 1), exact, anyCase);
      }
    }
    return new Lexicon(exact, anyCase, bytes);
  }

  private static void add(String line, String place, Map<String, Entry> exact, Map<String, Entry> anyCase) {
    String[] columns = line.split("\t", -1);
    if (columns.length != 2 || columns[0].isBlank() || columns[1].isBlank()) {
      throw new TextException(
          place + ": an entry is a word, one tab, and how it is said (words, or phonemes as [[...]]); found \"" + line + "\"");
    }
    String word = TextCleaner.clean(columns[0]);
    String spoken = TextCleaner.clean(columns[1]);
    String rest = Wording.PHONEMES.matcher(spoken).replaceAll("");
    if (rest.contains("[[") || rest.contains("]]")) {
      throw new TextException(place + ": the phonemes of \"" + word + "\" need [[ before and ]] behind them");
    }
    if (!Character.isLetterOrDigit(word.codePointAt(0)) || !Character.isLetterOrDigit(word.codePointBefore(word.length()))) {
      throw new TextException(place + ": \"" + word + "\" must begin and end with a letter or digit");
    }
    boolean small = word.equals(word.toLowerCase(Locale.ROOT));
    Entry earlier = (small ? anyCase : exact).put(word, new Entry(spoken, place));
    if (earlier != null) {
      throw new TextException(place + ": \"" + word + "\" is already in " + earlier.place);
    }
  }

  /** Puts what is said in the place of the words; the longest entry wins. */
  String apply(String text) {
    if (pattern == null) {
      return text;
    }
    return pattern
        .matcher(text)
        .replaceAll(
            match -> {
              Entry entry = exact.get(match.group());
              if (entry == null) {
                entry = anyCase.get(match.group().toLowerCase(Locale.ROOT));
              }
              return Matcher.quoteReplacement(entry == null ? match.group() : entry.spoken);
            });
  }

  /** Entries that hold phonemes. */
  List<Entry> entriesWithPhonemes() {
    List<Entry> entries = new ArrayList<>(exact.values());
    entries.addAll(anyCase.values());
    entries.removeIf(entry -> !Wording.PHONEMES.matcher(entry.spoken).find());
    return entries;
  }

  boolean isEmpty() {
    return pattern == null;
  }

  /** The file as it was read. */
  byte[] file() {
    return file.clone();
  }

  /** Short name of the content. */
  String digest() {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(file);
      return HexFormat.of().formatHex(hash).substring(0, DIGEST_CHARACTERS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
