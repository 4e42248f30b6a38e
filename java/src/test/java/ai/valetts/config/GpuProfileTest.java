package ai.valetts.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GpuProfileTest {

  @Test
  void everyFileIsAProfileAndEveryProfileFitsAConfiguration() throws IOException {
    Path folder = Path.of(System.getProperty("valetts.checkout", "..")).resolve("configs/profiles");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString().replace(".yaml", "")))
          .containsExactlyInAnyOrderElementsOf(GpuProfile.NAMES);
    }
    for (String name : GpuProfile.NAMES) {
      GpuProfile profile = GpuProfile.named(name);
      ValettsConfig config = ConfigLoader.bundled("tiny", List.of(
          new ConfigOverride("training.profile", name, name),
          new ConfigOverride("training.precision", profile.training().precision(), name),
          new ConfigOverride("data.decodeThreads", String.valueOf(profile.data().decodeThreads()), name),
          new ConfigOverride("data.prefetchBatches", String.valueOf(profile.data().prefetchBatches()), name)));
      assertThat(config.training().profile()).isEqualTo(name);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Tesla T4, t4, fp16",
    "NVIDIA L4, l4, bf16",
    "Tesla P100-PCIE-16GB, p100, fp32",
    "Tesla V100-SXM2-16GB, v100, fp16",
    "Tesla V100-SXM2-32GB, v100, fp16",
    "NVIDIA A100-SXM4-40GB, a100-40, bf16",
    "NVIDIA A100-SXM4-40GB MIG 3g.20gb, a100-40, bf16",
    "A100-PCIE-40GB, a100-40, bf16",
    "NVIDIA A100-SXM4-80GB, a100-80, bf16",
    "NVIDIA A100 80GB PCIe, a100-80, bf16",
    "NVIDIA H100 80GB HBM3, h100, bf16",
    "NVIDIA H100 NVL, h100, bf16",
    "NVIDIA H200, h200, bf16",
    "'', cpu, fp32"
  })
  void isChosenByTheDevicesName(String device, String name, String precision) {
    assertThat(GpuProfile.of(device)).contains(name);
    assertThat(GpuProfile.named(name).training().precision()).isEqualTo(precision);
  }

  @ParameterizedTest
  @CsvSource({
    "NVIDIA L40S, bf16",
    "NVIDIA A10G, bf16",
    "NVIDIA RTX A6000, bf16",
    "NVIDIA GeForce RTX 3060 Ti, bf16",
    "NVIDIA GeForce RTX 4090, bf16",
    "NVIDIA RTX 6000 Ada Generation, bf16",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition, bf16",
    "NVIDIA GH200 480GB, bf16",
    "NVIDIA B200, bf16",
    "NVIDIA GeForce RTX 2080 Ti, fp16",
    "Quadro RTX 8000, fp16",
    "NVIDIA GeForce GTX 1660, fp32",
    "NVIDIA GeForce GTX 1080 Ti, fp32",
    "Tesla P40, fp32",
    "Tesla K80, fp32",
    "Radeon Instinct, fp32"
  })
  void tellsThePrecisionOfAnUnknownDeviceByItsGeneration(String device, String precision) {
    assertThat(GpuProfile.of(device)).isEmpty();
    assertThat(GpuProfile.precisionOf(device)).isEqualTo(precision);
  }

  @Test
  void refusesAnUnknownNameWithTheNearest() {
    assertThatThrownBy(() -> GpuProfile.named("a100_80gb"))
        .isInstanceOf(ConfigException.class).hasMessageContaining("did you mean a100-80?");
    assertThatThrownBy(() -> ConfigLoader.bundled("tiny", List.of(ConfigOverride.parse("training.profile=h10"))))
        .isInstanceOf(ConfigException.class).hasMessageContaining("did you mean h100?").hasMessageContaining("There are auto");
  }

  @Test
  void refusesAProfileThatSaysMoreThanItMay() {
    assertThatThrownBy(() -> GpuProfile.parse("mine",
        "devices: [X]\ntraining: {precision: bf16}\ndata: {decodeThreads: 2, prefetchBatches: 4, batchSize: 32}"))
        .isInstanceOf(ConfigException.class).hasMessageContaining("data.batchSize is not a key");
    assertThatThrownBy(() -> GpuProfile.parse("mine", "")).isInstanceOf(ConfigException.class).hasMessageContaining("empty");
  }
}
