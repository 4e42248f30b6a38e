package ai.valetts.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SymbolTableTest {
  @TempDir Path folder;

  @Test
  void numbersPhonemesAsPiperDoes() {
    SymbolTable table = SymbolTable.piper();
    // Anchors spread over the map; one character lost or added anywhere would move the later ones.
    Map<String, Integer> anchors =
        Map.ofEntries(
            Map.entry("_", 0),
            Map.entry("^", 1),
            Map.entry("$", 2),
            Map.entry(" ", 3),
            Map.entry("?", 13),
            Map.entry("a", 14),
            Map.entry("f", 19),
            Map.entry("h", 20),
            Map.entry("z", 38),
            Map.entry("æ", 39),
            Map.entry("ɐ", 50),
            Map.entry("ə", 59),
            Map.entry("ɡ", 66),
            Map.entry("ɹ", 88),
            Map.entry("ʃ", 96),
            Map.entry("ʒ", 108),
            Map.entry("ʲ", 119),
            Map.entry("ˈ", 120),
            Map.entry("ː", 122),
            Map.entry("ⱱ", 129),
            Map.entry("0", 130),
            Map.entry("9", 139),
            Map.entry("\u0327", 140),
            Map.entry("\u0303", 141),
            Map.entry("ʰ", 145),
            Map.entry("#", 149),
            Map.entry("\"", 150),
            Map.entry("g", 154),
            Map.entry("\u030a", 158),
            Map.entry("ʷ", 160),
            Map.entry("aɪ", 161),
            Map.entry("oʊ", 165));
    anchors.forEach((symbol, id) -> assertThat(table.idOf(symbol)).as(symbol).hasValue(id));
    assertThat(table.symbols()).hasSize(166).doesNotHaveDuplicates();
    assertThat(table.size()).isEqualTo(256);
    assertThat(table.padId()).isZero();
    assertThat(table.idOf("☃")).isEmpty();
  }

  @Test
  void survivesWritingAndReading() throws IOException {
    for (SymbolTable table : List.of(SymbolTable.piper(), SymbolTable.characters(List.of("Olá, você!")))) {
      Path file = folder.resolve(table.kind() + ".json");
      table.write(file);
      assertThat(SymbolTable.read(file)).isEqualTo(table);
    }
  }

  @Test
  void characterTableDoesNotDependOnOrderOrCase() {
    SymbolTable one = SymbolTable.characters(List.of("Não há", "abc 12?"));
    SymbolTable other = SymbolTable.characters(List.of("ABC 21?", "há não"));
    assertThat(other).isEqualTo(one);
    assertThat(one.idOf("\u0303")).isPresent();
    assertThat(one.idOf("ã")).isEmpty();
    assertThat(one.size()).isEqualTo(one.symbols().size());
  }

  @Test
  void characterTableHasNoPicturesAndNoSecondMarks() {
    SymbolTable table = SymbolTable.characters(List.of("a_b ^ $ ☃ €"));
    assertThat(table.symbols()).containsExactly("_", "^", "$", " ", "a", "b");
  }

  @Test
  void refusesFilesThatAreNoTables() throws IOException {
    for (String content :
        List.of(
            "",
            "{",
            "[]",
            "null",
            "{\"kind\":\"piper\",\"size\":1,\"symbols\":[\"_\",\"^\",\"$\"]}",
            "{\"kind\":\"other\",\"size\":9,\"symbols\":[\"_\",\"^\",\"$\"]}",
            "{\"kind\":\"characters\",\"size\":9,\"symbols\":[\"a\"]}",
            "{\"kind\":\"characters\",\"size\":9,\"symbols\":[\"_\",\"^\",\"$\",\"a\",\"a\"]}")) {
      Path file = folder.resolve("symbols.json");
      Files.writeString(file, content);
      assertThatThrownBy(() -> SymbolTable.read(file)).as(content).isInstanceOf(TextException.class);
    }
  }
}
