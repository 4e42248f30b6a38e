package ai.valetts.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.config.TextConfig;
import ai.valetts.text.normalization.NormalizationTables;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tables' words through espeak-ng itself. */
class NormalizedSpeechTest {

  @ParameterizedTest
  @ValueSource(strings = {"pt-br", "en-us", "es"})
  void hasASymbolForEverySoundOfTheTables(String language) {
    assumeTrue(Espeak.load().isPresent(), "espeak-ng is not installed");
    TextConfig config = new TextConfig("espeak", language, "full", null, false, 400);
    try (TextFrontEnd frontEnd = TextFrontEnds.open(config, List::of, notice -> {})) {
      for (NormalizationTables.Case row : NormalizationTables.of(language)) {
        EncodedText encoded = frontEnd.encode(row.text(), null);
        assertThat(encoded.unknownSymbols()).as(row.text()).isEmpty();
        assertThat(encoded.words().text()).isEqualTo(row.words());
        assertThat(encoded.phonemeCount()).as(row.text()).isPositive();
      }
    }
  }
}
