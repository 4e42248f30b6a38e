package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.config.TextConfig;
import ai.valetts.text.EncodedText;
import ai.valetts.text.SymbolTable;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.Words;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a front end that counts how often it is asked. */
class TextCacheTest {
  private static final TextConfig CONFIG = DataFixtures.TEXT;

  @TempDir Path folder;

  private final List<String> asked = new ArrayList<>();

  private TextFrontEnd frontEnd(String version) {
    return new TextFrontEnd() {
      @Override
      public Words words(String text, String language) {
        return new Words(text, text.contains("*") ? List.of("*") : List.of());
      }

      @Override
      public EncodedText read(Words words, String language) {
        asked.add(language + ":" + words.text());
        int[] ids = words.text().codePoints().toArray();
        return new EncodedText(ids, words.text(), List.of(), ids.length, words, Map.of());
      }

      @Override
      public SymbolTable symbols() {
        return SymbolTable.piper();
      }

      @Override
      public String name() {
        return "counting";
      }

      @Override
      public String version() {
        return version;
      }

      @Override
      public byte[] lexicon() {
        return new byte[0];
      }

      @Override
      public void close() {}
    };
  }

  private ReadText read(String version, TextConfig config, String text, String language) {
    try (TextCache cache = TextCache.open(folder, frontEnd(version), config)) {
      return cache.read(text, language);
    }
  }

  @Test
  void asksOnceForATextInALanguage() {
    ReadText first = read("1", CONFIG, "olá *", "pt-br");
    ReadText again = read("1", CONFIG, "olá *", "pt-br");
    assertThat(again).usingRecursiveComparison().isEqualTo(first);
    assertThat(again.removed()).containsExactly("*");
    read("1", CONFIG, "olá *", "es");
    assertThat(asked).containsExactly("pt-br:olá *", "es:olá *");
  }

  @Test
  void asksAgainForAnotherVersionOrLayout() {
    read("1", CONFIG, "a", "en");
    read("2", CONFIG, "a", "en");
    read("1", new TextConfig("characters", "en-us", true, 100), "a", "en");
    assertThat(asked).hasSize(3);
  }

  @Test
  void asksAgainForADamagedOrUnfinishedLine() throws IOException {
    read("1", CONFIG, "first", "en");
    read("1", CONFIG, "second", "en");
    Path file;
    try (Stream<Path> files = Files.list(folder.resolve("texts"))) {
      file = files.filter(one -> one.toString().endsWith(".jsonl")).findFirst().orElseThrow();
    }
    String content = Files.readString(file);
    Files.writeString(file, content.replaceFirst("first", "forst").substring(0, content.length() - 5));
    assertThat(read("1", CONFIG, "first", "en").phonemes()).isEqualTo("first");
    assertThat(read("1", CONFIG, "second", "en").phonemes()).isEqualTo("second");
    assertThat(asked).hasSize(4);
    read("1", CONFIG, "first", "en");
    read("1", CONFIG, "second", "en");
    assertThat(asked).hasSize(4);
  }

  @Test
  void readsBesideAnotherThatAdds() {
    try (TextCache one = TextCache.open(folder, frontEnd("1"), CONFIG);
        TextCache two = TextCache.open(folder, frontEnd("1"), CONFIG)) {
      one.read("a", "en");
      two.read("b", "en");
      assertThat(one.read("a", "en").phonemes()).isEqualTo("a");
      assertThat(two.read("b", "en").phonemes()).isEqualTo("b");
    }
    read("1", CONFIG, "a", "en");
    assertThat(asked).containsExactly("en:a", "en:b");
  }
}
