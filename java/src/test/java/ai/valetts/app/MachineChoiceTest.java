package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.config.ConfigDifference;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.engine.EngineSystem;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class MachineChoiceTest {
  private final List<String> notices = new ArrayList<>();

  @Test
  void autoTakesWhatSuitsTheDeviceAndSaysSo() {
    ValettsConfig config = config("training.precision=auto", "training.device=auto");
    assertThat(on("NVIDIA A100-SXM4-80GB").forNewRun(config).training().precision()).isEqualTo("bf16");
    assertThat(notices).singleElement().asString().contains("a100-80", "NVIDIA A100-SXM4-80GB", "bf16");
    assertThat(on("Tesla T4").forNewRun(config).training().precision()).isEqualTo("fp16");
    assertThat(on("Tesla P100-PCIE-16GB").forNewRun(config).training().precision()).isEqualTo("fp32");
    assertThat(on().forNewRun(config).training().precision()).isEqualTo("fp32");
    assertThat(on().forNewRun(config).training().profile()).isEqualTo("cpu");
  }

  @Test
  void theDeviceIsTheOneThatTheRunComputesOn() {
    MachineChoice two = on("Tesla T4", "NVIDIA L4");
    assertThat(two.forNewRun(config("training.precision=auto", "training.device=cuda:1")).training().profile()).isEqualTo("l4");
    assertThat(two.forNewRun(config("training.precision=auto", "training.device=cuda")).training().profile()).isEqualTo("t4");
    assertThat(two.forNewRun(config("training.precision=auto", "training.device=cpu")).training().profile()).isEqualTo("cpu");
  }

  @Test
  void aDeviceWithoutAProfileIsNamedAndJudgedByItsGeneration() {
    ValettsConfig config = config("training.profile=auto", "training.precision=auto", "training.device=auto");
    ValettsConfig settled = on("NVIDIA L40S").forNewRun(config);
    assertThat(settled.training().precision()).isEqualTo("bf16");
    assertThat(settled.training().profile()).isNull();
    assertThat(on("Something New 9000").forNewRun(config).training().precision()).isEqualTo("fp32");
    assertThat(notices).anyMatch(text -> text.contains("no profile for \"Something New 9000\"") && text.contains("fp32"));
  }

  @Test
  void aProfileFillsInWhatIsOpenAndNothingElse() {
    ValettsConfig open = config(
        "training.profile=a100-40", "training.precision=null", "data.decodeThreads=0", "data.prefetchBatches=0");
    ValettsConfig settled = on().forNewRun(open);
    assertThat(ConfigDifference.between(open, settled)).extracting(ConfigDifference::key)
        .containsExactlyInAnyOrder("training.precision", "data.decodeThreads", "data.prefetchBatches");
    assertThat(settled.data().decodeThreads()).isEqualTo(3);
    assertThat(settled.data().prefetchBatches()).isEqualTo(8);

    ValettsConfig stated = config(
        "training.profile=a100-40", "training.precision=fp32", "data.decodeThreads=1", "data.prefetchBatches=2");
    assertThat(on().forNewRun(stated)).isEqualTo(stated);
    assertThat(on("Tesla T4").forNewRun(config("data.prefetchBatches=0", "training.precision=fp32")).data().prefetchBatches())
        .isEqualTo(4);
  }

  @Test
  void aRunKeepsThePrecisionItBeganWithOnAnotherDeviceUnlessAsked() {
    ValettsConfig asked = config("training.precision=auto", "training.profile=auto", "training.device=auto");
    ValettsConfig saved = on("Tesla T4").forNewRun(asked);
    notices.clear();

    MachineChoice a100 = on("NVIDIA A100-SXM4-40GB");
    ValettsConfig sameCommand = a100.forResumed(saved, asked);
    assertThat(sameCommand.training().precision()).isEqualTo("fp16");
    assertThat(sameCommand.training().profile()).isEqualTo("t4");
    assertThat(ConfigDifference.refused(saved, sameCommand)).isEmpty();
    assertThat(notices).singleElement().asString().contains("keeps fp16", "t4", "A100-SXM4-40GB", "--precision bf16");

    assertThat(a100.forResumed(saved, saved)).isEqualTo(saved);
    assertThat(notices).hasSize(2);

    notices.clear();
    ValettsConfig changed = config("training.precision=bf16", "training.profile=t4", "training.device=auto");
    assertThat(a100.forResumed(saved, changed).training().precision()).isEqualTo("bf16");
    assertThat(notices).singleElement().asString().contains("bf16 instead of fp16");
  }

  @Test
  void aRunThatLeftNothingOpenIsNotSpokenOf() {
    ValettsConfig config = config("training.precision=fp32", "training.device=auto");
    assertThat(on("Tesla T4").forNewRun(config)).isEqualTo(config);
    assertThat(on("NVIDIA H200").forResumed(config, config)).isEqualTo(config);
    assertThat(notices).isEmpty();
  }

  private MachineChoice on(String... gpus) {
    return new MachineChoice(
        new EngineSystem("0", "2", "AVX2", gpus.length > 0, List.of(gpus), 2), 3, notices::add);
  }

  private static ValettsConfig config(String... overrides) {
    return ConfigLoader.bundled("tiny", Arrays.stream(overrides).map(ConfigOverride::parse).toList());
  }
}
