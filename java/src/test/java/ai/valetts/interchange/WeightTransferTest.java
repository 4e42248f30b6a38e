package ai.valetts.interchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.text.Reading;
import ai.valetts.text.SymbolTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights move to another run by what they stand for. */
class WeightTransferTest {
  private static final List<String> SYMBOLS = List.of("_", "a", "b", "c");

  @TempDir private Path folder;
  @TempDir private Path out;

  private final WeightTransfer.Side voice = side(config(), SYMBOLS, 6, 3, "ana", "bia", "zoe");

  private static ValettsConfig config(String... overrides) {
    return ConfigLoader.bundled("tiny", Arrays.stream(overrides).map(ConfigOverride::parse).toList());
  }

  private static WeightTransfer.Side side(
      ValettsConfig config, List<String> symbols, int rows, int speakerRows, String... speakers) {
    SymbolTable table = SymbolTable.imported(Reading.SYMBOLS, Math.max(rows, symbols.size()), symbols);
    return new WeightTransfer.Side(config, table, List.of(speakers), rows, speakerRows);
  }

  /** A checkpoint whose numbers are their places. */
  @BeforeEach
  void writeVoice() throws IOException {
    write(voice, folder.resolve("generator.safetensors"),
        ReferenceLayout.generator(voice.config().model().sized(6, 3), WeightTransfer.bins(voice.config())));
    write(voice, folder.resolve("discriminator.safetensors"),
        ReferenceLayout.discriminator(voice.config().model().discriminatorWidthDivisor()));
  }

  private static void write(WeightTransfer.Side side, Path file, List<ReferenceLayout.Key> keys) throws IOException {
    List<SafetensorsWriter.Item> items = new ArrayList<>();
    for (ReferenceLayout.Key key : keys) {
      if (!key.dead()) {
        int count = (int) Arrays.stream(key.shape()).reduce(1, (a, b) -> a * b);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
          values[i] = i + 1;
        }
        items.add(new SafetensorsWriter.Item(key.name(), key.shape(), () -> values));
      }
    }
    SafetensorsWriter.write(file, items, Map.of());
  }

  private float[] rows(WeightTransfer.Side to, String tensor) throws IOException {
    try (WeightTransfer transfer = WeightTransfer.open(folder, voice, to, false)) {
      transfer.write(out, null);
    }
    try (TensorFile file = TensorFile.open(out.resolve("generator.safetensors"))) {
      return file.tensors().get(tensor).floats();
    }
  }

  @Test
  void theSameVoiceIsCopiedBitForBit() throws IOException {
    rows(voice, "enc_p.emb.weight");
    assertThat(out.resolve("generator.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("generator.safetensors"));
    assertThat(out.resolve("discriminator.safetensors"))
        .hasSameBinaryContentAs(folder.resolve("discriminator.safetensors"));
  }

  @Test
  void theRunningMeanIsTakenWhereTheVoiceKeepsOne() throws IOException {
    Path mean = folder.resolve("generator_average.safetensors");
    Files.move(folder.resolve("generator.safetensors"), mean);
    // Weights of another model, which would be refused if they were read.
    write(voice, folder.resolve("generator.safetensors"),
        ReferenceLayout.discriminator(voice.config().model().discriminatorWidthDivisor()));
    rows(voice, "enc_p.emb.weight");
    assertThat(out.resolve("generator.safetensors")).hasSameBinaryContentAs(mean);
  }

  @Test
  void symbolsKeepTheirRowsWhereverTheyStandAndNewOnesAreDrawn() throws IOException {
    WeightTransfer.Side to = side(config(), List.of("_", "c", "ç", "a"), 4, 3, "ana", "bia", "zoe");
    float[] rows = rows(to, "enc_p.emb.weight");
    int width = rows.length / 4;
    assertThat(rows[0]).isEqualTo(1);
    assertThat(rows[width]).isEqualTo(3f * width + 1);
    assertThat(rows[3 * width]).isEqualTo(width + 1f);
    float[] drawn = Arrays.copyOfRange(rows, 2 * width, 3 * width);
    assertThat(drawn).doesNotHaveDuplicates();
    assertThat(rows(to, "enc_p.emb.weight")).as("the same seed draws the same").isEqualTo(rows);
    try (WeightTransfer transfer = WeightTransfer.open(folder, voice, to, false)) {
      assertThat(transfer.report()).anyMatch(line -> line.reason().contains("drawn for the new ç"));
    }
  }

  @Test
  void speakersKeepTheirRowsByNameAndNewOnesAreTheMean() throws IOException {
    WeightTransfer.Side to = side(config(), SYMBOLS, 6, 4, "bia", "leo", "zoe");
    float[] rows = rows(to, "emb_g.weight");
    int width = rows.length / 4;
    assertThat(rows[0]).isEqualTo(width + 1f);
    assertThat(rows[width]).isEqualTo(width + 1f);
    assertThat(rows[2 * width]).isEqualTo(2f * width + 1);
    try (WeightTransfer transfer = WeightTransfer.open(folder, voice, to, false)) {
      assertThat(transfer.report())
          .anyMatch(line -> line.reason().contains("the mean of all for the new leo; without ana"));
    }
  }

  @Test
  void networksOfAnotherSizeAreRefusedUnlessWhatFitsIsEnough() throws IOException {
    WeightTransfer.Side to =
        side(config("model.filterChannels=13"), SYMBOLS, 6, 3, "ana", "bia", "zoe");
    assertThatThrownBy(() -> WeightTransfer.open(folder, voice, to, false))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("ffn_layers.0.conv_1.weight")
        .hasMessageContaining("--partial");
    Path initial = Files.createDirectory(folder.resolve("initial"));
    write(to, initial.resolve("generator.safetensors"),
        ReferenceLayout.generator(to.config().model().sized(6, 3), WeightTransfer.bins(to.config())));
    try (WeightTransfer transfer = WeightTransfer.open(folder, voice, to, true)) {
      assertThat(transfer.isIncomplete()).isTrue();
      transfer.write(out, initial);
    }
    try (TensorFile file = TensorFile.open(out.resolve("generator.safetensors"))) {
      assertThat(file.tensors().get("enc_p.encoder.ffn_layers.0.conv_1.weight").size(0)).isEqualTo(13);
    }
  }

  @Test
  void discriminatorsOfAnotherSizeStartFresh() throws IOException {
    int divisor = voice.config().model().discriminatorWidthDivisor() / 2;
    WeightTransfer.Side to =
        side(config("model.discriminatorWidthDivisor=" + divisor), SYMBOLS, 6, 3, "ana", "bia", "zoe");
    try (WeightTransfer transfer = WeightTransfer.open(folder, voice, to, false)) {
      transfer.write(out, null);
      assertThat(transfer.report()).anyMatch(
          line -> line.outcome().equals(ReportLine.INITIALISED) && line.part().equals("discriminator"));
    }
    assertThat(out.resolve("discriminator.safetensors")).doesNotExist();
  }
}
