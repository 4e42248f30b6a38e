package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.Fixtures;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.EngineIoException;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.Utterance;
import ai.valetts.engine.Voice;
import ai.valetts.engine.jni.NativeEngine;
import ai.valetts.interchange.PublicFiles;
import ai.valetts.interchange.RecordedTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Imported voices in the real core. */
@Tag("native")
@Timeout(300)
class InterchangeNativeTest {
  private static Engine engine;

  @TempDir private Path root;
  private final List<String> notices = new ArrayList<>();
  private ValeTts valetts;

  @BeforeAll
  static void open() {
    engine = NativeEngine.open(Path.of(System.getProperty("java.io.tmpdir"), "valetts-border-test"));
  }

  @BeforeEach
  void valetts() {
    valetts = new ValeTts(root.resolve("cache"), notices::add, config -> List.of(), () -> engine, false);
  }

  private SavedVoice imported(String fixture, String file, boolean discriminators) {
    Path made = PublicFiles.of(fixture);
    Path folder = root.resolve(fixture);
    valetts.importVoice(
        new ImportRequest(
            made.resolve(file),
            discriminators ? made.resolve("D_7.pth") : null,
            discriminators && Files.exists(made.resolve("DUR_7.pth")) ? made.resolve("DUR_7.pth") : null,
            null,
            file.endsWith(".ckpt") ? null : made.resolve("symbols.json"),
            null,
            null,
            null,
            List.of(),
            false,
            List.of(ConfigOverride.parse("training.device=cpu"), ConfigOverride.parse("training.threads=1")),
            folder));
    return SavedVoice.open(folder, notice -> {});
  }

  private static EngineConfig sizes(SavedVoice saved) {
    return EngineConfigs.of(saved.config(), saved.symbols().size(), saved.speakers().size());
  }

  /** The deterministic predictor draws nothing, so that the number of frames is the recorded one. */
  @Test
  void theDurationsOfTheRecordedInferenceComeOutOfAnImportedVoice() throws IOException {
    SavedVoice saved = imported("step_ms_lin_dp", "G_7.pth", false);
    Path fixture = Fixtures.file("step_ms_lin_dp.safetensors");
    float[] ids = RecordedTensors.numbers(fixture, "in/x");
    float[] lengths = RecordedTensors.numbers(fixture, "in/x_lengths");
    float[] frames = RecordedTensors.numbers(fixture, "infer/y_lengths");
    float[] speakers = {2, 0, 1};
    int width = ids.length / lengths.length;
    try (Voice voice = engine.openVoice(sizes(saved), saved.checkpoint().voiceWeights())) {
      for (int item = 0; item < lengths.length; item++) {
        int[] tokens = new int[(int) lengths[item]];
        for (int t = 0; t < tokens.length; t++) {
          tokens[t] = (int) ids[item * width + t];
        }
        float[] audio = voice.synthesize(new Utterance(tokens, (int) speakers[item], 0, 0, 1.1f, 1));
        assertThat(audio).hasSize((int) frames[item] * saved.config().audio().hopLength());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"step_ss_mel_sdp", "step_ss_vits1", "step_ms_lin_dp"})
  void aNewSessionHoldsExactlyTheImportedWeights(String fixture) throws IOException {
    SavedVoice saved = imported(fixture, "G_7.pth", true);
    Path kept = Files.createDirectories(root.resolve("kept"));
    try (TrainingSession session = engine.createSession(sizes(saved))) {
      session.loadWeights(saved.checkpoint().directory());
      session.save(kept);
    }
    Path recorded = Fixtures.file(fixture + ".safetensors");
    assertThat(RecordedTensors.differing(recorded, "G0/", kept.resolve("generator.safetensors"))).isEmpty();
    assertThat(RecordedTensors.differing(recorded, "D0/", kept.resolve("discriminator.safetensors"))).isEmpty();
    if (Files.exists(kept.resolve("duration_discriminator.safetensors"))) {
      assertThat(RecordedTensors.differing(recorded, "DUR0/", kept.resolve("duration_discriminator.safetensors")))
          .isEmpty();
    }
  }

  @Test
  void weightsOfAnotherModelLeaveTheSessionAsItWas() throws IOException {
    SavedVoice saved = imported("step_ms_lin_dp", "G_7.pth", false);
    Path before = Files.createDirectories(root.resolve("before"));
    Path after = Files.createDirectories(root.resolve("after"));
    SavedVoice other = imported("step_ss_vits1", "voice.ckpt", false);
    try (TrainingSession session = engine.createSession(sizes(saved))) {
      session.save(before);
      assertThatThrownBy(() -> session.loadWeights(other.checkpoint().directory()))
          .isInstanceOf(EngineIoException.class)
          .hasMessageContaining("generator.safetensors");
      assertThatThrownBy(() -> session.loadWeights(root.resolve("nowhere"))).isInstanceOf(EngineIoException.class);
      session.save(after);
    }
    assertThat(after.resolve("generator.safetensors")).hasSameBinaryContentAs(before.resolve("generator.safetensors"));
  }

  @Test
  void fineTuningResumesExactly() {
    imported("step_ss_vits1", "voice.ckpt", false);
    ToySpeech.folder(root.resolve("ana"), 8, 1);
    Path whole = tune("whole", 4);
    tune("parts", 2);
    Path parts = tune("parts", 4);
    for (String file : List.of("generator.safetensors", "discriminator.safetensors", "optimizer_generator.safetensors")) {
      assertThat(parts.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
    }
  }

  /** The mean costs the steps nothing, so that both runs have the same present weights and differ in what speaks. */
  @Test
  void theRunningMeanSpeaksAndIsExported() throws IOException {
    imported("step_ss_vits1", "voice.ckpt", false);
    ToySpeech.folder(root.resolve("ana"), 8, 1);
    Path plain = tune("plain", 4);
    Path averaged = tune("averaged", 4, "optimizer.averageDecay=0.9");
    assertThat(averaged.resolve("generator.safetensors")).hasSameBinaryContentAs(plain.resolve("generator.safetensors"));
    Path mean = averaged.resolve("generator_average.safetensors");

    assertThat(speak(averaged)).isNotEqualTo(speak(plain));

    Path exported = root.resolve("exported.safetensors");
    valetts.exportVoice(new ExportRequest(averaged, exported, false, false));
    assertThat(RecordedTensors.differing(exported, "", mean)).isEmpty();
    assertThat(RecordedTensors.differing(exported, "", averaged.resolve("generator.safetensors"))).isNotEmpty();

    // A step with such a rate moves no weight.
    Path begun = tune(averaged, "begun", 1, "optimizer.averageDecay=null", "optimizer.learningRate=1e-30");
    assertThat(RecordedTensors.differing(mean, "", begun.resolve("generator.safetensors"))).isEmpty();
    assertThat(notices).anyMatch(line ->
        line.startsWith("initial weights: " + averaged) && line.endsWith("the running mean of its generator"));
  }

  private byte[] speak(Path checkpoint) throws IOException {
    Path file = root.resolve("spoken/" + checkpoint.getParent().getParent().getFileName() + ".wav");
    valetts.synthesize(
        new SynthRequest(
            checkpoint, List.of(new SynthRequest.Line("bad", file)), null, null, null, null, null, 1, "cpu", 1));
    return Files.readAllBytes(file);
  }

  private Path tune(String name, int steps, String... more) {
    return tune(root.resolve("step_ss_vits1"), name, steps, more);
  }

  private Path tune(Path voice, String name, int steps, String... more) {
    List<ConfigOverride> overrides = new ArrayList<>();
    for (String override : Arrays.asList(
        "data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]",
        "name=" + name,
        "data.batchSize=2",
        "data.validationClips=2",
        "validation.audioClips=1",
        "validation.everySteps=1000",
        "validation.sentences=[bad]",
        "training.device=cpu",
        "training.threads=1",
        "training.maxSteps=" + steps)) {
      overrides.add(ConfigOverride.parse(override));
    }
    for (String override : more) {
      overrides.add(ConfigOverride.parse(override));
    }
    ValettsConfig config = valetts.initialConfig(voice, overrides);
    return valetts.train(new TrainRequest(config, root.resolve("runs/" + name), List.of(), voice, false)).checkpoint();
  }

  @Test
  void whatAFileLacksIsInitialisedWhenAskedFor() throws IOException {
    Path made = PublicFiles.of("step_ss_mel_sdp");
    Path folder = root.resolve("partial");
    ImportResult result = valetts.importVoice(
        new ImportRequest(
            made.resolve("other.pth"), null, null, null, made.resolve("symbols.json"), null, null, null, List.of(), true,
            List.of(ConfigOverride.parse("training.device=cpu")), folder));
    assertThat(result.weights()).anyMatch(line -> line.outcome().equals("initialised") && line.tensors() == 1);
    assertThat(RecordedTensors.differing(
            Fixtures.file("step_ss_mel_sdp.safetensors"), "G0/", folder.resolve("generator.safetensors")))
        .containsExactlyInAnyOrder("dec.conv_pre.bias", "enc_p.proj.bias");
    SavedVoice saved = SavedVoice.open(folder, notice -> {});
    try (Voice voice = engine.openVoice(sizes(saved), saved.checkpoint().voiceWeights())) {
      assertThat(voice.synthesize(new Utterance(new int[] {5, 6, 7}, 0, 0.5f, 0.5f, 1, 1))).isNotEmpty();
    }
  }
}
