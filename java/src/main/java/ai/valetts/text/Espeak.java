package ai.valetts.text;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * The one instance of libespeak-ng in this process. The library keeps its voice and its buffers in globals, so every
 * call happens under one lock. It is never shut down: other threads may still be using it.
 */
final class Espeak {
  /** What to tell a person whose machine lacks espeak-ng. */
  static final String INSTALL_HINT = "install it with: sudo apt-get install espeak-ng";

  /** Names another library file, for a build of espeak-ng that is not in the system's folders. */
  private static final String LIBRARY_VARIABLE = "VALETTS_ESPEAK_LIBRARY";

  private static final String DEFAULT_LIBRARY = "libespeak-ng.so.1";

  private static final Object LOCK = new Object();

  /** Null until the first try; a failed try is remembered too. */
  private static Espeak instance;

  private static String failure;

  private final EspeakLibrary library;
  private final String version;

  /** Language codes and the voices that speak them, in espeak-ng's order. */
  private final Map<String, String> voicesByLanguage;

  private String currentVoice;

  private Espeak(EspeakLibrary library) {
    this.library = library;
    this.version = library.espeak_Info(null);
    this.voicesByLanguage = listVoices(library);
  }

  /** The loaded library, or empty where it or its data is missing; {@link #failure()} then says why. */
  static Optional<Espeak> load() {
    synchronized (LOCK) {
      if (instance == null && failure == null) {
        String name = System.getenv().getOrDefault(LIBRARY_VARIABLE, DEFAULT_LIBRARY);
        try {
          EspeakLibrary library =
              Native.load(name, EspeakLibrary.class, Map.of(Library.OPTION_STRING_ENCODING, "UTF-8"));
          int rate = library.espeak_Initialize(EspeakLibrary.OUTPUT_SYNCHRONOUS, 0, null, EspeakLibrary.DONT_EXIT);
          if (rate <= 0) {
            failure = name + " loads, but its data (package espeak-ng-data) is missing";
          } else {
            instance = new Espeak(library);
          }
        } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
          failure = "espeak-ng (" + name + ") is not on this machine";
        }
      }
      return Optional.ofNullable(instance);
    }
  }

  /** Why {@link #load()} came back empty. */
  static String failure() {
    synchronized (LOCK) {
      return failure;
    }
  }

  /** Release of the library, e.g. {@code 1.51}. */
  String version() {
    return version;
  }

  /**
   * IPA of one piece of text, clauses joined by spaces, as espeak-ng writes it.
   *
   * @throws TextException if no voice speaks the language
   */
  String phonemes(String text, String language) {
    StringJoiner joined = new StringJoiner(" ");
    for (Clause clause : clauses(text, language)) {
      String phonemes = clause.phonemes.strip();
      if (!phonemes.isEmpty()) {
        joined.add(phonemes);
      }
    }
    return joined.toString();
  }

  /**
   * A clause as espeak-ng cuts the text.
   *
   * @param phonemes IPA, as it is written
   * @param consumed what was read of the text for it, with one character of the clause behind it unless it is the last
   */
  record Clause(String phonemes, String consumed, boolean last) {}

  /**
   * The clauses of a text.
   *
   * @throws TextException if no voice speaks the language
   */
  List<Clause> clauses(String text, String language) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    List<Clause> clauses = new ArrayList<>();
    synchronized (LOCK) {
      choose(language);
      try (Memory buffer = new Memory(utf8.length + 1L)) {
        buffer.write(0, utf8, 0, utf8.length);
        buffer.setByte(utf8.length, (byte) 0);
        PointerByReference position = new PointerByReference(buffer);
        int read = 0;
        while (position.getValue() != null) {
          Pointer clause = library.espeak_TextToPhonemes(position, EspeakLibrary.UTF8, EspeakLibrary.IPA);
          boolean last = position.getValue() == null;
          long place = last ? utf8.length : Pointer.nativeValue(position.getValue()) - Pointer.nativeValue(buffer);
          int end = (int) Math.max(read, Math.min(utf8.length, place));
          clauses.add(
              new Clause(
                  clause == null ? "" : clause.getString(0, "UTF-8"),
                  new String(utf8, read, end - read, StandardCharsets.UTF_8),
                  last));
          read = end;
        }
      }
    }
    return clauses;
  }

  private void choose(String language) {
    if (language.equals(currentVoice)) {
      return;
    }
    // A voice's own name first ("pt-br", "pt-br+f2"), then a language code that only its list of languages has
    // ("fr-fr", which Debian files under "fr"). An empty name would select espeak-ng's default.
    String byLanguage = voicesByLanguage.get(language.toLowerCase(Locale.ROOT));
    boolean found =
        !language.isBlank()
            && (library.espeak_SetVoiceByName(language) == 0
                || byLanguage != null && library.espeak_SetVoiceByName(byLanguage) == 0);
    if (!found) {
      currentVoice = null;
      throw new TextException(
          "espeak-ng "
              + version
              + " has no voice for the language \""
              + language
              + "\""
              + near(language)
              + " List what it has with: espeak-ng --voices");
    }
    currentVoice = language;
  }

  private String near(String language) {
    return Languages.near(language, voicesByLanguage.keySet()).map(code -> "; did you mean " + code + "?").orElse(".");
  }

  /** Reads espeak-ng's array of {@code espeak_VOICE*}: name, languages, identifier are its first three pointers. */
  private static Map<String, String> listVoices(EspeakLibrary library) {
    Map<String, String> voices = new LinkedHashMap<>();
    Pointer array = library.espeak_ListVoices(null);
    if (array == null) {
      return voices;
    }
    for (Pointer voice : array.getPointerArray(0)) {
      Pointer languages = voice.getPointer(Native.POINTER_SIZE);
      Pointer identifier = voice.getPointer(2L * Native.POINTER_SIZE);
      if (languages == null || identifier == null) {
        continue;
      }
      String file = identifier.getString(0, "UTF-8");
      // Each language is a priority byte and a C string; a priority of 0 ends the list.
      long offset = 0;
      while (languages.getByte(offset) != 0) {
        String code = languages.getString(offset + 1, "UTF-8");
        voices.putIfAbsent(code, file);
        offset += 2 + code.getBytes(StandardCharsets.UTF_8).length;
      }
    }
    return voices;
  }
}
