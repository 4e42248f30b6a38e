package ai.valetts.app;

import ai.valetts.config.TextConfig;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How a saved voice reads: by its own copy of the lexicon, and by what read its texts when it learned. */
final class VoiceReading {
  static final String LEXICON = "lexicon.tsv";
  static final String READ_BY = "text.json";

  private static final Pattern ESPEAK = Pattern.compile("espeak-ng ([^,]+)");

  private VoiceReading() {}

  /** The files that go into each checkpoint, those that keep a voice's reading among them. */
  static Map<String, byte[]> companions(Map<String, byte[]> others, TextFrontEnd frontEnd) {
    Map<String, byte[]> files = new LinkedHashMap<>(others);
    try {
      files.put(READ_BY, new ObjectMapper().writeValueAsBytes(Map.of("readBy", frontEnd.version())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (frontEnd.lexicon().length > 0) {
      files.put(LEXICON, frontEnd.lexicon());
    }
    return files;
  }

  /** The text configuration of a voice, its lexicon being the copy that lies beside it. */
  static TextConfig config(SavedVoice saved) {
    Path lexicon = saved.checkpoint().file(LEXICON);
    TextConfig config = saved.config().text();
    return Files.isRegularFile(lexicon) ? config.withLexicon(lexicon.toString()) : config;
  }

  /**
   * The front end of a voice.
   *
   * @param notice told when another espeak-ng or other rules than those of the training read
   */
  static TextFrontEnd open(SavedVoice saved, Consumer<String> notice) {
    TextFrontEnd frontEnd = TextFrontEnds.open(config(saved), saved.symbols());
    Optional<String> before = readBy(saved);
    String now = frontEnd.version();
    if (before.isPresent() && !before.get().equals(now)) {
      Optional<String> espeakBefore = espeak(before.get());
      boolean sameEspeak = espeakBefore.isEmpty() || espeakBefore.equals(espeak(now));
      notice.accept(sameEspeak
          ? "this voice learned from text read by " + before.get() + "; now it is " + now
              + ": numbers, abbreviations and the like may be read otherwise"
          : "this voice learned from the phonemes of espeak-ng " + espeakBefore.get() + ", here is espeak-ng "
              + espeak(now).orElse("none") + ": some words may sound otherwise");
    }
    return frontEnd;
  }

  /** Empty for a voice from before this was kept. */
  private static Optional<String> readBy(SavedVoice saved) {
    Path file = saved.checkpoint().file(READ_BY);
    try {
      return Files.isRegularFile(file)
          ? Optional.of(new ObjectMapper().readTree(file.toFile()).path("readBy").asText())
          : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static Optional<String> espeak(String version) {
    Matcher espeak = ESPEAK.matcher(version);
    return espeak.find() ? Optional.of(espeak.group(1)) : Optional.empty();
  }
}
