package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.config.ConfigException;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.engine.EngineInternalException;
import ai.valetts.interchange.PublicFiles;
import ai.valetts.text.SymbolTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run that begins with a voice's weights, with a fake engine below. */
@Timeout(120)
class InitialVoiceTest {
  @TempDir private Path root;
  private final FakeEngine engine = new FakeEngine();
  private final List<String> notices = Collections.synchronizedList(new ArrayList<>());
  private ValeTts valetts;
  private Path voice;
  private Path run;

  @BeforeEach
  void importVoice() {
    valetts = new ValeTts(root.resolve("cache"), notices::add, config -> List.of(), () -> engine, false);
    run = root.resolve("runs/tuned");
    ToySpeech.folder(root.resolve("ana"), 8, 1);
    voice = root.resolve("voice");
    Path made = PublicFiles.of("step_ms_lin_dp");
    valetts.importVoice(
        new ImportRequest(
            made.resolve("G_7.pth"), null, null, null, made.resolve("symbols.json"), null, null, null, List.of(), false,
            List.of(), voice));
  }

  private ValettsConfig config(String... overrides) {
    List<ConfigOverride> all = new ArrayList<>();
    all.add(ConfigOverride.parse("data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]"));
    all.add(ConfigOverride.parse("data.validationClips=2"));
    all.add(ConfigOverride.parse("validation.everySteps=1000"));
    all.add(ConfigOverride.parse("validation.audioClips=1"));
    all.add(ConfigOverride.parse("validation.sentences=[bad dog]"));
    all.add(ConfigOverride.parse("data.batchSize=2"));
    all.add(ConfigOverride.parse("training.maxSteps=3"));
    Arrays.stream(overrides).map(ConfigOverride::parse).forEach(all::add);
    return valetts.initialConfig(voice, all);
  }

  private RunResult train(ValettsConfig config, Path initFrom) {
    return valetts.train(new TrainRequest(config, run, List.of(), initFrom, false));
  }

  @Test
  void aRunTakesTheVoicesConfigurationSymbolsAndWeights() throws IOException {
    ValettsConfig config = config();
    assertThat(config.model().flow()).isEqualTo("pre_conv");
    RunResult result = train(config, voice);

    assertThat(run.resolve("config.yaml")).content()
        .as("one speaker of a voice of three keeps its layers").contains("speakerCount: 2");

    assertThat(engine.sessions.get(0).loadedWeights).hasSize(1);
    assertThat(SymbolTable.read(result.checkpoint().resolve("symbols.json")))
        .isEqualTo(SymbolTable.read(voice.resolve("symbols.json")));
    assertThat(result.checkpoint().resolve("initial-weights.json")).content().contains(voice.toString());
    assertThat(notices).anyMatch(line -> line.startsWith("initial weights: " + voice));
    assertThat(notices).anyMatch(line -> line.contains("resized") && line.contains("the mean of all for the new ana"));
    assertThat(run.resolve("initial.tmp")).doesNotExist();
  }

  @Test
  void resumingLoadsTheCheckpointAndNotTheVoice() {
    train(config(), voice);
    valetts.resume(new ResumeRequest(run, List.of(ConfigOverride.parse("training.maxSteps=5"))));
    assertThat(engine.sessions.get(1).loadedWeights).isEmpty();
    assertThat(engine.sessions.get(1).losses).hasSize(2);
    train(config("training.maxSteps=6"), voice);
    assertThat(engine.sessions.get(2).loadedWeights).isEmpty();
    assertThat(engine.sessions.get(2).losses).hasSize(1);
  }

  @Test
  void aRunThatEndedBeforeItsFirstCheckpointBeginsTheSameWayAgain() {
    engine.onCreate = session -> session.beforeStep = () -> {
      throw new EngineInternalException("the core stumbled");
    };
    assertThatThrownBy(() -> train(config(), voice)).isInstanceOf(EngineInternalException.class);
    engine.onCreate = session -> {};
    train(config(), null);
    assertThat(engine.sessions.get(1).loadedWeights.get(0)).isEqualTo(engine.sessions.get(0).loadedWeights.get(0));
  }

  @Test
  void aRunIsNotGivenOtherWeightsHalfWay() {
    train(config(), voice);
    Path other = root.resolve("other");
    Path made = PublicFiles.of("step_ss_vits1");
    valetts.importVoice(
        new ImportRequest(
            made.resolve("G_7.pth"), null, null, null, made.resolve("symbols.json"), null, null, null, List.of(), false,
            List.of(), other));
    assertThatThrownBy(() -> train(config("training.maxSteps=5"), other))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(voice.toString())
        .hasMessageContaining("--name");

    run = root.resolve("runs/fresh");
    train(config(), null);
    assertThatThrownBy(() -> train(config("training.maxSteps=5"), voice))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("began with new weights");
  }

  @Test
  void aPublicFileIsImportedIntoTheRun() throws IOException {
    Path made = PublicFiles.of("step_ss_vits1");
    Path file = made.resolve("voice.ckpt");
    ValettsConfig config = valetts.initialConfig(
        file,
        List.of(
            ConfigOverride.parse("data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]"),
            ConfigOverride.parse("data.validationClips=2"),
            ConfigOverride.parse("validation.audioClips=1"),
            ConfigOverride.parse("data.batchSize=2"),
            ConfigOverride.parse("training.maxSteps=2")));
    assertThat(config.model().speakerCount()).isNull();
    train(config, file);
    assertThat(run.resolve("initial/origin.json")).content().contains("voice.ckpt");
    assertThat(engine.sessions.get(0).loadedWeights).hasSize(1);
    assertThat(Files.readString(run.resolve("initial-weights.json"))).contains("\"partial\" : false");
  }

  @Test
  void anotherLayoutOfTextOrAnotherSizeIsRefusedBeforeTraining() {
    assertThatThrownBy(() -> train(config("text.addBlank=true"), voice))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("text.addBlank");
    assertThatThrownBy(() -> train(config("model.encoderLayers=4"), voice))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("attn_layers.3");
    assertThatThrownBy(() -> train(config(), root.resolve("nowhere")))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("nowhere");
    assertThat(run.resolve("checkpoints")).doesNotExist();
  }

  @Test
  void anotherFrontEndKeepsRowsBySymbol() throws IOException {
    RunResult result = train(config("text.frontEnd=characters"), voice);
    assertThat(SymbolTable.read(result.checkpoint().resolve("symbols.json")).kind()).isEqualTo("characters");
    assertThat(notices).anyMatch(line -> line.contains("resized") && line.contains("rows by symbol"));
  }
}
