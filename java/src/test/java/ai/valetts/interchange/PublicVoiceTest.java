package ai.valetts.interchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.Fixtures;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.text.Reading;
import ai.valetts.text.TextException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that a real PyTorch wrote from the reference's recorded weights. */
@Timeout(120)
class PublicVoiceTest {
  @TempDir private Path folder;

  private static Path files(String fixture) {
    return PublicFiles.of(fixture);
  }

  private static PublicVoice.Sources sources(Path generator) {
    return new PublicVoice.Sources(generator, null, null, null, generator.resolveSibling("symbols.json"), null);
  }

  private static PublicVoice.Choices choices(boolean partial, String... added) {
    return new PublicVoice.Choices("test", null, null, List.of(added), partial, List.of());
  }

  private static PublicVoice.Sources withDiscriminators(Path made) {
    Path durations = made.resolve("DUR_7.pth");
    return new PublicVoice.Sources(
        made.resolve("G_7.pth"),
        made.resolve("D_7.pth"),
        Files.exists(durations) ? durations : null,
        made.resolve("config.json"),
        made.resolve("symbols.json"),
        null);
  }

  @ParameterizedTest
  @ValueSource(strings = {"step_ss_mel_sdp", "step_ms_lin_dp", "step_ss_vits1", "step_ms_mel_sdp", "step_ss_lin_dp"})
  void everyWeightArrivesBitForBit(String fixture) throws IOException {
    try (PublicVoice voice = PublicVoice.open(withDiscriminators(files(fixture)), choices(false))) {
      assertThat(voice.isIncomplete()).isFalse();
      voice.write(folder, null);
      assertThat(voice.report())
          .filteredOn(line -> !line.outcome().equals(ReportLine.LOADED))
          .allMatch(line -> line.outcome().equals(ReportLine.SKIPPED) && line.reason().startsWith("post_transformer"));
    }
    try (TensorFile recorded = TensorFile.open(Fixtures.file(fixture + ".safetensors"))) {
      same(recorded, "G0/", folder.resolve("generator.safetensors"));
      same(recorded, "D0/", folder.resolve("discriminator.safetensors"));
      if (recorded.tensors().keySet().stream().anyMatch(name -> name.startsWith("DUR0/"))) {
        same(recorded, "DUR0/", folder.resolve("duration_discriminator.safetensors"));
      }
    }
  }

  private static void same(TensorFile recorded, String prefix, Path file) {
    List<String> differing = new ArrayList<>();
    int compared = 0;
    try (TensorFile imported = TensorFile.open(file)) {
      for (Map.Entry<String, StoredTensor> entry : imported.tensors().entrySet()) {
        StoredTensor original = recorded.tensors().get(prefix + entry.getKey());
        boolean equal = Arrays.equals(entry.getValue().shape(), original.shape())
            && Arrays.equals(bits(entry.getValue()), bits(original));
        if (!equal) {
          differing.add(entry.getKey());
        }
        compared++;
      }
      long live = recorded.tensors().keySet().stream()
          .filter(name -> name.startsWith(prefix) && !name.contains("post_transformer"))
          .count();
      assertThat(differing).isEmpty();
      assertThat(compared).isEqualTo((int) live);
    }
  }

  private static int[] bits(StoredTensor tensor) {
    float[] values = tensor.floats();
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  @Test
  void theConfigurationIsToldFromWeightsAndSettings() {
    try (PublicVoice voice = PublicVoice.open(withDiscriminators(files("step_ms_lin_dp")), choices(false))) {
      ValettsConfig config = voice.config();
      assertThat(config.audio().sampleRateHz()).isEqualTo(22050);
      assertThat(config.audio().fftSize()).isEqualTo(256);
      assertThat(config.audio().hopLength()).isEqualTo(64);
      assertThat(config.audio().melBins()).isEqualTo(20);
      assertThat(config.model().posteriorInput()).isEqualTo("linear");
      assertThat(config.model().flow()).isEqualTo("pre_conv");
      assertThat(config.model().durationPredictor()).isEqualTo("deterministic");
      assertThat(config.model().durationDiscriminator()).isEqualTo("v2");
      assertThat(config.model().speakerConditionedEncoder()).isTrue();
      assertThat(config.model().resblockKind()).isEqualTo(2);
      assertThat(config.model().resblockDilations()).containsExactly(List.of(1, 2), List.of(2, 6));
      assertThat(config.model().discriminatorWidthDivisor()).isEqualTo(32);
      assertThat(config.training().segmentSamples()).isEqualTo(512);
      assertThat(voice.speakers()).containsExactly("speaker0", "speaker1", "speaker2");
      assertThat(voice.symbols().size()).isEqualTo(24);
      assertThat(voice.symbols().reading()).isEqualTo(Reading.BASIC_CLEANERS);
    }
  }

  @Test
  void aPiperFileBringsBothNetworksItsSymbolsAndItsSettings() throws IOException {
    Path made = files("step_ss_vits1");
    PublicVoice.Sources sources = new PublicVoice.Sources(made.resolve("voice.ckpt"), null, null, null, null, null);
    try (PublicVoice voice = PublicVoice.open(sources, choices(false))) {
      assertThat(voice.symbols().reading()).isEqualTo(Reading.PIPER_TEXT);
      assertThat(voice.config().text().language()).isEqualTo("pt-br");
      assertThat(voice.config().text().addBlank()).isTrue();
      assertThat(voice.config().synthesis().lengthScale()).isEqualTo(1.25f);
      assertThat(voice.config().audio().hopLength()).isEqualTo(64);
      assertThat(voice.config().model().flow()).isEqualTo("plain");
      assertThat(voice.speakers()).containsExactly("ana");
      assertThat(voice.report()).anyMatch(line -> line.part().equals("model_mrd") && line.outcome().equals("skipped"));
      voice.write(folder, null);
    }
    try (TensorFile recorded = TensorFile.open(Fixtures.file("step_ss_vits1.safetensors"))) {
      same(recorded, "G0/", folder.resolve("generator.safetensors"));
      same(recorded, "D0/", folder.resolve("discriminator.safetensors"));
    }
  }

  @Test
  void speakersLieInTheOrderOfTheirNamesAndNewOnesAreTheMeanOfTheOthers() throws IOException {
    Path made = files("step_ms_lin_dp");
    PublicVoice.Sources sources =
        new PublicVoice.Sources(made.resolve("G_7.pth"), null, null, made.resolve("voice.json"), null, null);
    try (PublicVoice voice = PublicVoice.open(sources, choices(false, "carla"))) {
      assertThat(voice.speakers()).containsExactly("ana", "bia", "carla", "zoe");
      assertThat(voice.report()).anyMatch(
          line -> line.outcome().equals(ReportLine.RESIZED) && line.reason().contains("carla"));
      voice.write(folder, null);
    }
    try (TensorFile recorded = TensorFile.open(Fixtures.file("step_ms_lin_dp.safetensors"));
        TensorFile imported = TensorFile.open(folder.resolve("generator.safetensors"))) {
      float[] old = recorded.tensors().get("G0/emb_g.weight").floats();
      float[] rows = imported.tensors().get("emb_g.weight").floats();
      int width = old.length / 3;
      assertThat(rows).hasSize(4 * width);
      assertThat(Arrays.copyOfRange(rows, 0, width)).isEqualTo(Arrays.copyOfRange(old, width, 2 * width));
      assertThat(Arrays.copyOfRange(rows, width, 2 * width)).isEqualTo(Arrays.copyOfRange(old, 2 * width, 3 * width));
      assertThat(Arrays.copyOfRange(rows, 3 * width, 4 * width)).isEqualTo(Arrays.copyOfRange(old, 0, width));
      for (int i = 0; i < width; i++) {
        assertThat(rows[2 * width + i]).isEqualTo((float) (((double) old[i] + old[width + i] + old[2 * width + i]) / 3));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"new_spelling.pth", "double.pth"})
  void otherSpellingsAndTypesGiveTheSameWeights(String name) throws IOException {
    try (PublicVoice voice = PublicVoice.open(sources(files("step_ss_mel_sdp").resolve(name)), choices(false))) {
      voice.write(folder, null);
      assertThat(voice.report()).anyMatch(line -> line.reason().isEmpty() || line.reason().equals("converted from F64"));
    }
    try (TensorFile recorded = TensorFile.open(Fixtures.file("step_ss_mel_sdp.safetensors"))) {
      same(recorded, "G0/", folder.resolve("generator.safetensors"));
    }
  }

  @Test
  void whatDoesNotFitIsNamedUnlessAskedToTakeWhatFits() {
    PublicVoice.Sources sources = sources(files("step_ss_mel_sdp").resolve("other.pth"));
    assertThatThrownBy(() -> PublicVoice.open(sources, choices(false)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("dec.conv_pre.bias is missing")
        .hasMessageContaining("enc_p.proj.bias has shape [3] instead of [32]")
        .hasMessageContaining("extra.weight is not known")
        .hasMessageContaining("--partial");
    try (PublicVoice voice = PublicVoice.open(sources, choices(true))) {
      assertThat(voice.isIncomplete()).isTrue();
      assertThat(voice.report()).anyMatch(line -> line.outcome().equals(ReportLine.INITIALISED) && line.tensors() == 1);
    }
  }

  @Test
  void filesOfOtherKindsAreRefusedInOneSentence() {
    Path made = files("step_ss_mel_sdp");
    refuses(made.resolve("D_7.pth"), "--discriminator");
    refuses(made.resolve("DUR_7.pth"), "--duration-discriminator");
    PublicVoice.Sources swapped =
        new PublicVoice.Sources(
            made.resolve("G_7.pth"), made.resolve("DUR_7.pth"), null, null, made.resolve("symbols.json"), null);
    assertThatThrownBy(() -> PublicVoice.open(swapped, choices(false)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("does not fit");
  }

  private static void refuses(Path generator, String wanted) {
    assertThatThrownBy(() -> PublicVoice.open(sources(generator), choices(false)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(wanted)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  @Test
  void keysOfAnotherModelAreRefused() throws IOException {
    Path path = folder.resolve("other.safetensors");
    SafetensorsWriter.write(
        path, List.of(new SafetensorsWriter.Item("encoder.layer.0.weight", new long[] {2}, () -> new float[2])), Map.of());
    assertThatThrownBy(() -> PublicVoice.open(sources(path), choices(false)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("another model")
        .hasMessageContaining("encoder.layer.0.weight");
  }

  @Test
  void weightsThatAreNoNumbersAreRefused() {
    try (PublicVoice voice =
        PublicVoice.open(sources(files("step_ss_mel_sdp").resolve("diverged.pth")), choices(false))) {
      assertThatThrownBy(() -> voice.write(folder, null))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("dec.conv_pre.bias holds NaN");
    }
  }

  @Test
  void readingsThatCannotBeReproducedAreRefusedByName() throws IOException {
    Path made = files("step_ss_mel_sdp");
    for (String cleaner : List.of("japanese_cleaners2", "transliteration_cleaners", "piper-text")) {
      Path config = folder.resolve("config.json");
      Files.writeString(config, "{\"data\": {\"text_cleaners\": [\"" + cleaner + "\"]}}");
      assertThatThrownBy(() -> PublicVoice.open(with(made, config), choices(false)))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(cleaner)
          .hasMessageContaining("--text-front-end");
    }
    Path pinyin = folder.resolve("pinyin.json");
    Files.writeString(pinyin, "{\"phoneme_type\": \"pinyin\", \"phoneme_id_map\": {\"_\": [0]}}");
    assertThatThrownBy(() -> PublicVoice.open(with(made, pinyin), choices(false)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("pinyin");
    Path several = folder.resolve("several.json");
    Files.writeString(several, "{\"phoneme_id_map\": {\"_\": [0], \"^\": [1], \"$\": [2], \"a\": [3, 4]}}");
    assertThatThrownBy(() -> PublicVoice.open(with(made, several), choices(false)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("\"a\"");
  }

  private static PublicVoice.Sources with(Path made, Path config) {
    return new PublicVoice.Sources(made.resolve("G_7.pth"), null, null, config, null, null);
  }

  @Test
  void theNameOfAReadingReplacesTheConfiguration() {
    Path made = files("step_ss_mel_sdp");
    try (PublicVoice voice = PublicVoice.open(
        sources(made.resolve("G_7.pth")),
        new PublicVoice.Choices(
            "x", "symbols", "pt-br", List.of(), false, List.of(ConfigOverride.parse("data.batchSize=4"))))) {
      assertThat(voice.symbols().reading()).isEqualTo(Reading.SYMBOLS);
      assertThat(voice.config().text().language()).isEqualTo("pt-br");
      assertThat(voice.config().data().batchSize()).isEqualTo(4);
    }
    assertThatThrownBy(() -> PublicVoice.open(
            sources(made.resolve("G_7.pth")),
            new PublicVoice.Choices("x", "english_cleaner", null, List.of(), false, List.of())))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("did you mean english_cleaners");
  }

  @Test
  void aTableOfTheWrongSizeIsRefused() throws IOException {
    Path made = files("step_ss_mel_sdp");
    assertThatThrownBy(() -> PublicVoice.open(with(made, made.resolve("config.json")), choices(false)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("24 symbols")
        .hasMessageContaining("--symbols");
    Path many = folder.resolve("many.json");
    Files.writeString(many, "[" + "\"x\",".repeat(30) + "\"y\"]");
    PublicVoice.Sources sources = new PublicVoice.Sources(made.resolve("G_7.pth"), null, null, null, many, null);
    assertThatThrownBy(() -> PublicVoice.open(sources, choices(false))).isInstanceOf(TextException.class);
  }

  @Test
  void aSpeakerHasNoPlaceInAVoiceOfOne() {
    Path made = files("step_ss_mel_sdp");
    assertThatThrownBy(() -> PublicVoice.open(sources(made.resolve("G_7.pth")), choices(false, "ana")))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("ana")
        .hasMessageContaining("--init-from");
  }
}
