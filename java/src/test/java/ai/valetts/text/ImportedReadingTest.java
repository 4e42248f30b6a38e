package ai.valetts.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.config.TextConfig;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The same text gives the same ids as in the programs that trained the voices. The expected ids were made once by those
 * programs; each file says by which.
 */
class ImportedReadingTest {
  @TempDir private Path folder;

  static Stream<JsonNode> vits() {
    return cases("vits-ids.json");
  }

  static Stream<JsonNode> piper() {
    return cases("piper-ids.json");
  }

  private static Stream<JsonNode> cases(String file) {
    try (InputStream in = ImportedReadingTest.class.getResourceAsStream(file)) {
      List<JsonNode> cases = new ArrayList<>();
      new ObjectMapper().readTree(in).get("cases").forEach(cases::add);
      return cases.stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @MethodSource("vits")
  void vitsTextGivesTheIdsOfTheProgramThatTrained(JsonNode expected) {
    Reading reading = Reading.named(expected.get("reading").asText()).orElseThrow();
    SymbolTable table = SymbolTable.imported(reading, 178, SymbolTable.vitsSymbols());
    assertThat(open(table, false).encode(expected.get("text").asText(), null).ids())
        .as(expected.get("symbols").asText())
        .containsExactly(ids(expected));
  }

  @ParameterizedTest
  @MethodSource("piper")
  void piperTextGivesTheIdsOfPiper(JsonNode expected) {
    SymbolTable table = SymbolTable.imported(Reading.PIPER_ESPEAK, 256, SymbolTable.piper().symbols());
    assertThat(open(table, true).encode(expected.get("text").asText(), expected.get("voice").asText()).ids())
        .as(expected.get("sentences").toString())
        .containsExactly(ids(expected));
  }

  private static TextFrontEnd open(SymbolTable table, boolean addBlank) {
    assumeTrue(
        !table.reading().needsEspeak() || Espeak.load().isPresent(), "espeak-ng is not installed");
    return TextFrontEnds.open(new TextConfig("auto", "en-us", addBlank, 400), table);
  }

  private static int[] ids(JsonNode expected) {
    int[] ids = new int[expected.get("ids").size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = expected.get("ids").get(i).asInt();
    }
    return ids;
  }

  @Test
  void blanksStandAroundEveryVitsSymbol() {
    SymbolTable table = SymbolTable.imported(Reading.SYMBOLS, 178, SymbolTable.vitsSymbols());
    EncodedText encoded = open(table, true).encode("hi!€", null);
    assertThat(encoded.ids()).containsExactly(0, 50, 0, 51, 0, 5, 0);
    assertThat(encoded.unknownSymbols()).containsExactly("€");
    assertThat(encoded.phonemeCount()).isEqualTo(2);
    assertThat(open(table, false).encode("", null).ids()).isEmpty();
  }

  @Test
  void theVitsTableHas178SymbolsAndTheLaterApostropheCounts() {
    List<String> symbols = SymbolTable.vitsSymbols();
    assertThat(symbols).hasSize(178).startsWith("_", ";", ":").endsWith("'", "\u0329", "'", "ᵻ");
    SymbolTable table = SymbolTable.imported(Reading.SYMBOLS, 178, symbols);
    assertThat(table.idOf("'")).hasValue(176);
    assertThat(table.idOf("A")).hasValue(17);
    assertThat(table.symbols().get(174)).isEqualTo("<unused 174>");
  }

  @Test
  void piperTextIsReadByItsDecomposedCharacters() {
    SymbolTable table =
        SymbolTable.imported(Reading.PIPER_TEXT, 9, Arrays.asList("_", "^", "$", null, "e", "\u0301", ".", "a"));
    EncodedText encoded = open(table, true).encode("é. aE", "pt-br");
    assertThat(encoded.ids()).containsExactly(1, 0, 4, 0, 5, 0, 6, 0, 7, 0, 2);
    assertThat(encoded.unknownSymbols()).containsExactly(" ", "E");
  }

  @Test
  void anImportedTableSurvivesSaving() throws IOException {
    for (Reading reading : Reading.values()) {
      SymbolTable table = SymbolTable.imported(reading, 200, reading.isPiper() ? SymbolTable.piper().symbols()
          : SymbolTable.vitsSymbols());
      table.write(folder.resolve("symbols.json"));
      assertThat(SymbolTable.read(folder.resolve("symbols.json"))).isEqualTo(table);
    }
  }

  @Test
  void tablesThatCannotBeAreRefused() {
    assertThatThrownBy(() -> SymbolTable.imported(Reading.SYMBOLS, 2, List.of("a", "b", "c")))
        .isInstanceOf(TextException.class);
    assertThatThrownBy(() -> SymbolTable.imported(Reading.PIPER_TEXT, 9, List.of("a", "b", "c")))
        .isInstanceOf(TextException.class)
        .hasMessageContaining("^");
  }

  @ParameterizedTest
  @CsvSource({
    "no mark w,   false, '',  false",
    "'Hello, w',  false, ',', false",
    "'Yes. N',    false, .,   true",
    "'Yes.\"',    false, .,   true",
    "'Why?! N',   false, ?,   true",
    "'Wait... n', false, '',  false",
    "'Well — n',  false, ;,   false",
    "'end.  ',    true,  .,   true",
    "'end.\"',    true,  .,   true",
    "end,         true,  '',  true",
    "'...',       true,  '',  false",
    "'',          true,  '',  false"
  })
  void tellsHowAClauseEnded(String consumed, boolean last, String mark, boolean sentence) {
    assertThat(PiperFrontEnd.end(consumed, last)).isEqualTo(new PiperFrontEnd.End(mark, sentence));
  }

  @Test
  void aBlankLineEndsASentenceWithoutAMark() {
    assertThat(PiperFrontEnd.end("One.\n\nT", false)).isEqualTo(new PiperFrontEnd.End("", true));
  }

  @Test
  void spellsLatinLettersInAscii() {
    Set<String> unknown = new LinkedHashSet<>();
    assertThat(PlainLatin.spell("“Çà—Łódź” straße… œuvre 5 €", unknown)).isEqualTo("\"Ca--Lodz\" strasse... oeuvre 5 EUR");
    assertThat(unknown).isEmpty();
    assertThat(PlainLatin.spell("aЖ漢b", unknown)).isEqualTo("ab");
    assertThat(unknown).containsExactly("Ж", "漢");
  }
}
