package ai.valetts.interchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.Fixtures;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ModelConfig;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds the list of keys, and what is told from them, to the state dicts recorded from the public programs. */
class ReferenceLayoutTest {

  @ParameterizedTest
  @CsvSource({
    "p0p4k_G_ljs_base, pre_conv, stochastic, mel",
    "p0p4k_G_ljs_nosdp, pre_conv, deterministic, mel",
    "p0p4k_G_ljs_plainflow, plain, stochastic, mel",
    "p0p4k_G_ljs_pre_conv2_sdp, pre_conv2, stochastic, mel",
    "p0p4k_G_vctk_base, pre_conv, deterministic, mel",
    "p0p4k_G_vctk_standard, pre_conv2, stochastic, mel",
    "vits1_G_ljs_base, plain, stochastic, linear",
    "vits1_G_vctk_base, plain, stochastic, linear",
    "piper_model_g_medium_ss, plain, stochastic, linear",
    "piper_model_g_medium_ms, plain, stochastic, linear",
    "piper_model_g_high_ss, plain, stochastic, linear",
    "piper_model_g_high_ms, plain, stochastic, linear"
  })
  void infersEachPublicGeneratorAndListsItsKeysInOrder(String name, String flow, String durations, String posterior) {
    Map<String, long[]> recorded = keys(name);
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    recorded.forEach((key, shape) -> tensors.put(key, shaped(shape)));
    Architecture architecture = new Architecture(name, tensors, PublicConfig.read(null, Map.of()));
    ModelConfig model = model(architecture);

    assertThat(model.flow()).isEqualTo(flow);
    assertThat(model.durationPredictor()).isEqualTo(durations);
    assertThat(model.posteriorInput()).isEqualTo(posterior);
    assertThat(model.speakerCount()).isEqualTo(name.contains("vctk") || name.endsWith("ms") ? 109 : 1);
    assertThat(model.speakerConditionedEncoder()).isEqualTo(name.startsWith("p0p4k_G_vctk"));
    assertThat(model.resblockKind()).isEqualTo(name.contains("medium") ? 2 : 1);
    assertThat(model.attentionHeads()).isEqualTo(2);
    same(ReferenceLayout.generator(model, architecture.spectrogramBins()), recorded);
  }

  @ParameterizedTest
  @CsvSource({"p0p4k_G_ljs_fft, fft", "p0p4k_G_ljs_mono, mono_layer_inter_residual"})
  void refusesFlowsThatTheCoreLacksByName(String name, String kind) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    keys(name).forEach((key, shape) -> tensors.put(key, shaped(shape)));
    assertThatThrownBy(() -> new Architecture(name, tensors, PublicConfig.read(null, Map.of())))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(kind);
  }

  @ParameterizedTest
  @ValueSource(strings = {"p0p4k_D", "vits1_D", "piper_model_d"})
  void listsTheDiscriminators(String name) {
    same(ReferenceLayout.discriminator(1), keys(name));
  }

  @ParameterizedTest
  @CsvSource({"p0p4k_DUR_V1, v1", "p0p4k_DUR_V2, v2"})
  void listsTheDurationDiscriminators(String name, String kind) {
    same(ReferenceLayout.durationDiscriminator(kind, 192), keys(name));
  }

  @Test
  void marksOnlyTheNeverUsedTransformersAsDead() {
    ModelConfig base = ConfigLoader.bundled("base",
        List.of(ConfigOverride.parse("model.vocabularySize=178"), ConfigOverride.parse("model.speakerCount=1"))).model();
    long dead = ReferenceLayout.generator(base, 80).stream()
        .filter(ReferenceLayout.Key::dead)
        .peek(key -> assertThat(key.name()).contains(".post_transformer."))
        .mapToLong(key -> Arrays.stream(key.shape()).reduce(1, (a, b) -> a * b))
        .sum();
    assertThat(dead).isEqualTo(2_964_480);
  }

  @Test
  void aPeriodicDecoderHasTheSameConvolutionsAndItsActivations() {
    List<ConfigOverride> sizes =
        List.of(ConfigOverride.parse("model.vocabularySize=178"), ConfigOverride.parse("model.speakerCount=1"));
    List<String> rectified = names(ConfigLoader.bundled("base", sizes).model());
    List<String> periodic = names(ConfigLoader.bundled("bigvgan", sizes).model());
    assertThat(periodic).containsAll(rectified).doesNotHaveDuplicates();
    // Six in each of 12 blocks and one after them, of two tensors each.
    assertThat(periodic).hasSize(rectified.size() + 2 * (12 * 6 + 1));
    assertThat(periodic).contains("dec.resblocks.11.activations.5.act.beta", "dec.activation_post.act.alpha");
  }

  private static List<String> names(ModelConfig model) {
    return ReferenceLayout.generator(model, 80).stream().map(ReferenceLayout.Key::name).toList();
  }

  private static ModelConfig model(Architecture architecture) {
    List<ConfigOverride> overrides = new ArrayList<>(architecture.overrides());
    overrides.add(ConfigOverride.parse("model.vocabularySize=" + architecture.vocabularySize()));
    overrides.add(ConfigOverride.parse("model.speakerCount=" + architecture.speakerCount()));
    return ConfigLoader.bundled("base", overrides).model();
  }

  private static void same(List<ReferenceLayout.Key> listed, Map<String, long[]> recorded) {
    assertThat(listed.stream().map(key -> key.name() + Arrays.toString(key.shape())).toList())
        .containsExactlyElementsOf(
            recorded.entrySet().stream().map(entry -> entry.getKey() + Arrays.toString(entry.getValue())).toList());
  }

  private static Map<String, long[]> keys(String name) {
    Map<String, long[]> keys = new LinkedHashMap<>();
    try {
      for (JsonNode row : new ObjectMapper().readTree(Fixtures.file("keys/" + name + ".json").toFile())) {
        long[] shape = new long[row.get(1).size()];
        for (int d = 0; d < shape.length; d++) {
          shape[d] = row.get(1).get(d).asLong();
        }
        keys.put(row.get(0).asText().replaceFirst("^model_[gd]\\.", ""), shape);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return keys;
  }

  /** A tensor of that shape whose numbers nobody reads. */
  private static StoredTensor shaped(long[] shape) {
    long bytes = 4 * Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    return StoredTensor.contiguous(
        TensorType.F32, shape, new TensorBytes(null, "recorded", 0, bytes, ByteOrder.LITTLE_ENDIAN, null));
  }
}
