package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.Fixtures;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.config.ConfigException;
import ai.valetts.config.ConfigLoader;
import ai.valetts.interchange.PublicFiles;
import ai.valetts.interchange.PythonTorch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Voices come in and go out as folders that every command takes. */
@Timeout(120)
class InterchangeTest {
  @TempDir private Path root;
  private final FakeEngine engine = new FakeEngine();
  private final List<String> notices = Collections.synchronizedList(new ArrayList<>());
  private ValeTts valetts;

  @BeforeEach
  void open() {
    valetts = new ValeTts(root.resolve("cache"), notices::add, config -> List.of(), () -> engine, false);
  }

  private ImportResult importVoice(Path generator, boolean discriminators, Path output) {
    Path folder = generator.getParent();
    Path durations = folder.resolve("DUR_7.pth");
    return valetts.importVoice(
        new ImportRequest(
            generator,
            discriminators ? folder.resolve("D_7.pth") : null,
            discriminators && Files.exists(durations) ? durations : null,
            null,
            folder.resolve("symbols.json"),
            null,
            null,
            null,
            List.of(),
            false,
            List.of(),
            output));
  }

  @Test
  void anImportedVoiceIsACheckpointThatSpeaks() {
    Path made = PublicFiles.of("step_ms_lin_dp");
    Path folder = root.resolve("voices/three");
    ImportResult result = importVoice(made.resolve("G_7.pth"), true, folder);

    assertThat(result.folder()).isEqualTo(folder.toAbsolutePath());
    assertThat(result.speakers()).containsExactly("speaker0", "speaker1", "speaker2");
    assertThat(CheckpointStore.open(folder).manifest().files()).extracting(file -> file.name())
        .containsExactly(
            "config.yaml", "discriminator.safetensors", "duration_discriminator.safetensors", "generator.safetensors",
            "origin.json", "speakers.json", "symbols.json");
    assertThat(ConfigLoader.load(folder.resolve("config.yaml"), List.of()).name()).isEqualTo("three");
    assertThat(folder.resolveSibling("three.tmp")).doesNotExist();

    SynthResult spoken = valetts.synthesize(
        new SynthRequest(
            folder, List.of(new SynthRequest.Line("Bad. cab", root.resolve("o.wav"))), "speaker2", null, null, null, null,
            0, "cpu", 0));
    assertThat(spoken.spoken().get(0).output()).exists();
    assertThat(engine.spoken).extracting(utterance -> utterance.speakerId()).containsOnly(2);
    // _ ^ $ space . a b ...: "bad. cab" in the voice's own numbers, without blanks, as its config says.
    assertThat(engine.spoken.get(0).tokenIds()).containsExactly(6, 5, 8, 4, 3, 7, 5, 6);
    assertThat(valetts.info(new InfoRequest(folder, null, false)).sections())
        .extracting(InfoResult.Section::title)
        .contains("Origin", "Voice");
  }

  @Test
  void resumingAVoiceSaysWhatToDoInstead() {
    Path folder = root.resolve("voice");
    importVoice(PublicFiles.of("step_ss_vits1").resolve("G_7.pth"), false, folder);
    assertThatThrownBy(() -> valetts.resume(new ResumeRequest(folder, List.of())))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("--init-from " + folder);
    assertThat(folder.resolve("lock")).doesNotExist();
  }

  @Test
  void nothingThatIsThereIsOverwritten() throws IOException {
    Path made = PublicFiles.of("step_ss_vits1");
    Path folder = root.resolve("voice");
    importVoice(made.resolve("G_7.pth"), false, folder);
    assertThatThrownBy(() -> importVoice(made.resolve("G_7.pth"), false, folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("is there already");
    Path file = root.resolve("x.safetensors");
    Files.writeString(file, "mine");
    assertThatThrownBy(() -> valetts.exportVoice(new ExportRequest(folder, file, true, false)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("is there already");
    assertThat(file).hasContent("mine");
    assertThatThrownBy(() -> valetts.exportVoice(new ExportRequest(folder, root.resolve("x.pth"), true, false)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(".safetensors");
  }

  @Test
  void aFailedImportLeavesNothingBehind() {
    Path made = PublicFiles.of("step_ss_mel_sdp");
    Path folder = root.resolve("voice");
    assertThatThrownBy(() -> importVoice(made.resolve("diverged.pth"), false, folder))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("NaN");
    assertThat(folder).doesNotExist();
    assertThat(folder.resolveSibling("voice.tmp")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"step_ss_mel_sdp", "step_ms_mel_sdp"})
  void exportAndImportGiveTheSameBytes(String fixture) throws IOException {
    Path made = PublicFiles.of(fixture);
    Path first = root.resolve("first");
    importVoice(made.resolve("G_7.pth"), true, first);
    Path file = root.resolve("out/voice.safetensors");
    ExportResult result = valetts.exportVoice(new ExportRequest(first, file, true, true));
    assertThat(result.files()).allSatisfy(written -> assertThat(written).exists()).hasSizeBetween(3, 4);

    String seen = PythonTorch.run("read_export.py", file, Fixtures.file(fixture + ".safetensors"));
    assertThat(seen).contains(fixture.equals("step_ss_mel_sdp") ? "\"dead\": 128" : "\"dead\": ");

    Path durations = root.resolve("out/voice.DUR.safetensors");
    Path second = root.resolve("second");
    valetts.importVoice(
        new ImportRequest(
            file, root.resolve("out/voice.D.safetensors"), Files.exists(durations) ? durations : null, null, null, null,
            null, null, List.of(), false, List.of(), second));
    for (String name : List.of("generator.safetensors", "discriminator.safetensors", "symbols.json", "speakers.json",
        "config.yaml")) {
      assertThat(second.resolve(name)).hasSameBinaryContentAs(first.resolve(name));
    }
  }

  @Test
  void whatTheReferenceNeverUsesCanBeLeftOut() throws IOException {
    Path voice = root.resolve("voice");
    importVoice(PublicFiles.of("step_ss_mel_sdp").resolve("G_7.pth"), false, voice);
    Path file = root.resolve("small.safetensors");
    valetts.exportVoice(new ExportRequest(voice, file, false, false));
    assertThat(Files.readString(file, StandardCharsets.ISO_8859_1)).doesNotContain("post_transformer");
  }

  @Test
  void settingsThatMakeNoSoundConfigurationAreNamed() throws IOException {
    Path made = PublicFiles.of("step_ss_vits1");
    Path config = root.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(made.resolve("config.json")).replace("\"sampling_rate\": 22050", "\"sampling_rate\": 1"));
    Path generator = Files.copy(made.resolve("G_7.pth"), root.resolve("G_7.pth"));
    Files.copy(made.resolve("symbols.json"), root.resolve("symbols.json"));
    assertThatThrownBy(() -> importVoice(generator, false, root.resolve("voice")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("audio.sampleRateHz");
  }
}
