package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.Speakers;
import ai.valetts.text.SymbolTable;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VoiceReadingTest {
  @TempDir Path folder;

  private SavedVoice voice(SymbolTable symbols, String... overrides) {
    List<ConfigOverride> all = new ArrayList<>();
    for (String override : overrides) {
      all.add(ConfigOverride.parse(override));
    }
    ValettsConfig config = ConfigLoader.bundled("tiny", all);
    return new SavedVoice(new Checkpoint(folder, null), config, symbols, Speakers.of(List.of("ana")), Optional.empty());
  }

  private void keep(TextFrontEnd frontEnd) throws IOException {
    for (Map.Entry<String, byte[]> file : VoiceReading.companions(Map.of(), frontEnd).entrySet()) {
      Files.write(folder.resolve(file.getKey()), file.getValue());
    }
  }

  private List<String> noticesOfOpening(SavedVoice saved) {
    List<String> notices = new ArrayList<>();
    VoiceReading.open(saved, notices::add).close();
    return notices;
  }

  @Test
  void warnsWhenAnotherEspeakMakesTheSounds() throws IOException {
    Optional<String> espeak = TextFrontEnds.espeakVersion(problem -> {});
    assumeTrue(espeak.isPresent(), "espeak-ng is not installed");
    SavedVoice saved = voice(SymbolTable.piper());
    assertThat(noticesOfOpening(saved)).as("a voice from before the version was kept").isEmpty();
    try (TextFrontEnd frontEnd = VoiceReading.open(saved, notice -> {})) {
      keep(frontEnd);
    }
    assertThat(noticesOfOpening(saved)).as("the same version").isEmpty();
    Files.writeString(folder.resolve(VoiceReading.READ_BY), "{\"readBy\":\"espeak-ng 0.1, wording 1\"}");
    assertThat(noticesOfOpening(saved)).singleElement().asString().contains("espeak-ng 0.1", espeak.get());
    Files.writeString(
        folder.resolve(VoiceReading.READ_BY), "{\"readBy\":\"espeak-ng " + espeak.get() + ", normalization 0\"}");
    assertThat(noticesOfOpening(saved)).singleElement().asString().contains("normalization 0", "now it is");
  }

  @Test
  void keepsItsLexicon() throws IOException {
    Path lexicon = folder.resolve("own.txt");
    Files.writeString(lexicon, "val\tvale\n");
    SymbolTable letters = SymbolTable.characters(List.of("vale"));
    SavedVoice saved = voice(letters, "text.lexicon=" + lexicon);
    try (TextFrontEnd frontEnd = VoiceReading.open(saved, notice -> {})) {
      keep(frontEnd);
    }
    Files.delete(lexicon);
    assertThat(Files.readAllBytes(folder.resolve(VoiceReading.LEXICON)))
        .isEqualTo("val\tvale\n".getBytes(StandardCharsets.UTF_8));
    try (TextFrontEnd frontEnd = VoiceReading.open(saved, notice -> {})) {
      assertThat(frontEnd.encode("val", null).phonemes()).isEqualTo("vale");
    }
  }

  @Test
  void readsAsItStandsWhereTheConfigurationKnowsNothingElse() {
    SavedVoice saved = voice(SymbolTable.characters(List.of("abc 123")), "text.normalization=null");
    try (TextFrontEnd frontEnd = VoiceReading.open(saved, notice -> {})) {
      assertThat(frontEnd.encode("abc 123", "pt-br").phonemes()).isEqualTo("abc 123");
    }
  }
}
