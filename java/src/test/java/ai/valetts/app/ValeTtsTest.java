package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.config.ConfigException;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.DataException;
import ai.valetts.engine.EngineInternalException;
import ai.valetts.engine.ParityRow;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.Notice;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunStarted;
import ai.valetts.text.TextException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The wiring with a fake engine: real data preparation, loop, checkpoints and monitors. */
@Timeout(120)
class ValeTtsTest {
  @TempDir private Path root;
  private final FakeEngine engine = new FakeEngine();
  private final List<String> notices = Collections.synchronizedList(new ArrayList<>());
  private final List<RunEvent> events = Collections.synchronizedList(new ArrayList<>());
  private ValeTts valetts;
  private Path runs;

  @BeforeEach
  void open() {
    valetts = new ValeTts(root.resolve("cache"), notices::add, config -> List.of(events::add), () -> engine, false);
    runs = root.resolve("runs/toy");
    ToySpeech.folder(root.resolve("ana"), 12, 1);
  }

  @Test
  void parityRunsEveryKnownSetOfTheFolderAndNamesTheOthers() throws IOException {
    Path folder = Files.createDirectories(root.resolve("recorded"));
    for (String file : List.of("stft.safetensors", "step_x.safetensors", "vocos.safetensors", "tol_x.json")) {
      Files.createFile(folder.resolve(file));
    }
    ParityRow near = new ParityRow("stft", "mel", ParityRow.Kind.FORWARD, 9e-6, 1e-5, true);
    ParityRow far = new ParityRow("step_x", "loss/kl", ParityRow.Kind.FORWARD, 2e-5, 1e-5, false);
    ParityRow left = new ParityRow("step_x", "fft/out.z_p", ParityRow.Kind.NOT_COMPARED, 0, 0, true);
    engine.parityRows.put("stft", List.of(near));
    engine.parityRows.put("step_x", List.of(left, far));

    ParityResult result = valetts.parity(new ParityRequest(folder, "cpu", "fp32", false, 1));

    assertThat(result.rows()).extracting(ParityResult.Row::tensor).containsExactly("loss/kl", "mel");
    assertThat(result.passed()).isFalse();
    assertThat(result.notCompared())
        .containsExactly("step_x: fft (1 tensor)", "vocos.safetensors, there is no check for it");
    assertThat(notices).anySatisfy(line -> assertThat(line).contains("step_x").contains("1 BROKEN"));
    assertThatThrownBy(() -> valetts.parity(new ParityRequest(root.resolve("cache"), "cpu", "fp32", false, 1)))
        .isInstanceOf(DataException.class);
  }

  @Test
  void aRunLeavesEverythingItPromises() throws IOException {
    RunResult result = train("training.maxSteps=12");

    assertThat(result.step()).isEqualTo(12);
    assertThat(result.interrupted()).isFalse();
    assertThat(runs.resolve("config.yaml")).content().contains("maxSteps: 12");
    assertThat(runs.resolve("data-report.json")).exists();
    assertThat(runs.resolve("tensorboard")).isDirectoryContaining(f -> f.getFileName().toString().contains("tfevents"));
    assertThat(runs.resolve("samples/step-00000005_ana_0.wav")).exists();
    assertThat(result.checkpoint()).isEqualTo(runs.resolve("checkpoints/step-00000012"));
    for (String file : List.of("config.yaml", "symbols.json", "speakers.json", "manifest.json", "generator.safetensors")) {
      assertThat(result.checkpoint().resolve(file)).exists();
    }
    JsonNode summary = json("summary.json");
    assertThat(summary.get("step").asInt()).isEqualTo(12);
    assertThat(summary.get("constantMelL1").asDouble()).isPositive();
    assertThat(summary.get("validation").get("val/mel_ratio").asDouble()).isPositive();
    assertThat(json("recordings.json").get("ana").get("clips").asInt()).isEqualTo(10);
    assertThat(Files.readAllLines(runs.resolve("metrics.jsonl"))).anyMatch(line -> line.contains("\"validation\""));
    assertThat(events).last().isInstanceOf(Notice.class);
    assertThat(events).anyMatch(RunEnded.class::isInstance).anyMatch(CheckpointSaved.class::isInstance);
  }

  @Test
  void aRunsStatusIsReadFromItsFilesWhileItGoesOnAndAfter() {
    List<StatusResult> seen = Collections.synchronizedList(new ArrayList<>());
    valetts = new ValeTts(root.resolve("cache"), notices::add, config -> List.of(event -> {
      if (event instanceof CheckpointSaved) {
        seen.add(RunStatus.of(new RunDirectory(runs)));
      }
    }), () -> engine, false);
    train("training.maxSteps=13", "monitor.logEverySteps=1");
    assertThat(seen.get(0).state()).isEqualTo(StatusResult.State.RUNNING);

    StatusResult status = valetts.status(runs);
    assertThat(status.state()).isEqualTo(StatusResult.State.ENDED);
    assertThat(status.reason()).contains("13 steps");
    assertThat(status.step()).isEqualTo(13);
    assertThat(status.losses().get(0).tag()).isEqualTo("loss/g/total");
    assertThat(status.losses().get(0).trend()).isNotNull();
    assertThat(status.validation().step()).isEqualTo(13);
    assertThat(status.checkpoint().directory()).isEqualTo("checkpoints/step-00000013");
    assertThat(status.measures()).containsKey("perf/it_s").containsKey("machine/memory_gib");
    assertThat(status.toJson()).contains("\"state\" : \"ENDED\"");
    assertThatThrownBy(() -> valetts.status(root.resolve("nowhere")))
        .isInstanceOf(RequestException.class).hasMessageContaining("There is no run in")
        .satisfies(failure -> assertThat(ExitCode.of(failure)).isEqualTo(ExitCode.USAGE));
  }

  @Test
  void aRunWhoseProcessIsGoneWithoutAWordIsToldFromOneThatEnded() throws IOException {
    Files.createDirectories(runs);
    Files.writeString(runs.resolve("config.yaml"), "");
    assertThat(valetts.status(runs).state()).isEqualTo(StatusResult.State.NOT_BEGUN);
    Files.writeString(runs.resolve("metrics.jsonl"), "{\"kind\":\"started\",\"step\":0}\n{\"kind\":\"step\",\"st");
    assertThat(valetts.status(runs).state()).isEqualTo(StatusResult.State.KILLED);
    Files.writeString(runs.resolve("metrics.jsonl"),
        "{\"kind\":\"started\",\"step\":0}\n{\"kind\":\"ended\",\"step\":4,\"failed\":true,\"reason\":\"no disk\"}\n");
    assertThat(valetts.status(runs).state()).isEqualTo(StatusResult.State.FAILED);
    assertThat(valetts.status(runs).reason()).isEqualTo("no disk");
  }

  @Test
  void theRunForWeightsAndBiasesSaysNothingOfTheRecordingsPlaces() throws IOException {
    train("training.maxSteps=12", "monitor.wandb={project: voices, upload: false}");
    try (Stream<Path> files = Files.walk(runs.resolve("wandb"))) {
      List<Path> all = files.filter(Files::isRegularFile).toList();
      assertThat(all).anyMatch(file -> file.toString().endsWith(".wandb")).anyMatch(file -> file.toString().endsWith(".wav"));
      for (Path file : all) {
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertThat(text).doesNotContain(root.toString());
        assertThat(!file.toString().endsWith(".wandb") || text.contains("optimizer.learningRate")).isTrue();
      }
    }
  }

  @Test
  void aMonitorThatFailsIsInTheRecordAndInTheStatusWithItsReason() throws IOException {
    Files.createDirectories(runs);
    Files.createFile(runs.resolve("tensorboard"));
    assertThat(train("training.maxSteps=5").step()).isEqualTo(5);
    String warning = "The TensorBoard monitor (monitor.tensorboard) failed, the run goes on: "
        + runs.resolve("tensorboard") + ": is not a folder; move it out of the way. Once that is mended";
    assertThat(events).filteredOn(Notice.class::isInstance).anySatisfy(event -> {
      assertThat(((Notice) event).level()).isEqualTo(Notice.Level.WARNING);
      assertThat(((Notice) event).text()).startsWith(warning);
    });
    assertThat(valetts.status(runs).warnings()).extracting(StatusResult.Warning::text)
        .singleElement().asString().startsWith(warning);
  }

  @Test
  void anUploadThatCannotBeginSaysWhatItLacks() {
    assumeTrue(System.getenv("WANDB_API_KEY") == null, "a key is set here");
    train("training.maxSteps=5", "monitor.wandb={project: voices, upload: true}");
    assertThat(valetts.status(runs).warnings()).extracting(StatusResult.Warning::text)
        .singleElement().asString()
        .contains("monitor.wandb.upload is true, but nothing is uploaded", "WANDB_API_KEY is not set", "wandb sync " + runs);
  }

  @Test
  void aResumeTellsOfTheValidationsThatItLeavesStanding() throws IOException {
    train("training.maxSteps=12", "checkpoint.everySteps=8");
    Path newest = runs.resolve("checkpoints/step-00000012/generator.safetensors");
    Files.write(newest, new byte[] {1});
    events.clear();
    valetts.resume(new ResumeRequest(runs, List.of()));
    RunStarted started = (RunStarted) events.stream().filter(RunStarted.class::isInstance).findFirst().orElseThrow();
    assertThat(started.step()).isEqualTo(8);
    assertThat(started.validations()).singleElement().satisfies(validation -> {
      assertThat(validation.step()).isEqualTo(5);
      assertThat(validation.scalars()).containsKey("val/mel_l1");
    });
  }

  @Test
  void resumingRepeatsTheUninterruptedRunExactly() {
    train("training.maxSteps=30");
    List<Double> whole = engine.sessions.get(0).losses;

    runs = root.resolve("runs/other");
    train("training.maxSteps=13");
    valetts.resume(new ResumeRequest(runs, List.of(ConfigOverride.parse("training.maxSteps=30"))));

    List<Double> joined = new ArrayList<>(engine.sessions.get(1).losses);
    joined.addAll(engine.sessions.get(2).losses);
    assertThat(engine.sessions.get(2).losses).hasSize(17);
    assertThat(joined).isEqualTo(whole);
  }

  @Test
  void theSameCommandGoesOn() {
    train("training.maxSteps=5");
    RunResult result = train("training.maxSteps=9");
    assertThat(engine.sessions.get(1).losses).hasSize(4);
    assertThat(result.step()).isEqualTo(9);
    assertThat(runs.resolve("config.yaml")).content().contains("maxSteps: 9");
  }

  @Test
  void aSpentBudgetKeepsItsFindings() throws IOException {
    train("training.maxSteps=5");
    JsonNode before = json("summary.json").get("validation");
    RunResult again = train("training.maxSteps=5");
    assertThat(again.step()).isEqualTo(5);
    assertThat(engine.sessions.get(1).losses).isEmpty();
    assertThat(json("summary.json").get("validation")).isEqualTo(before);
  }

  @Test
  void anotherConfigurationIsRefusedWithItsKeysAndNothingIsTouched() throws IOException {
    train("training.maxSteps=5");
    String before = Files.readString(runs.resolve("config.yaml"));
    assertThatThrownBy(() -> train("training.maxSteps=9", "optimizer.learningRate=1e-3"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("optimizer.learningRate")
        .hasMessageContaining("--name");
    assertThat(runs.resolve("config.yaml")).hasContent(before);
  }

  @Test
  void aHalfCheckpointIsPassedOverWithANotice() throws IOException {
    train("training.maxSteps=12");
    Path newest = runs.resolve("checkpoints/step-00000012/generator.safetensors");
    Files.write(newest, new byte[] {1, 2, 3});
    RunResult result = valetts.resume(new ResumeRequest(runs, List.of()));
    assertThat(notices).anyMatch(text -> text.contains("step-00000012") && text.contains("3 bytes instead of 16"));
    assertThat(engine.sessions.get(1).losses).hasSize(2);
    assertThat(result.step()).isEqualTo(12);
  }

  @Test
  void aRunWithoutASoundCheckpointIsNotStartedOver() throws IOException {
    train("training.maxSteps=5");
    Files.delete(runs.resolve("checkpoints/step-00000005/manifest.json"));
    assertThatThrownBy(() -> train("training.maxSteps=5"))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("No checkpoint of")
        .hasMessageContaining("not started over")
        .hasMessageContaining("step-00000005 is not complete: manifest.json is missing")
        .satisfies(failure -> assertThat(ExitCode.of(failure).code()).isEqualTo(6))
        .hasMessageContaining("another name");
    assertThatThrownBy(() -> valetts.resume(new ResumeRequest(root.resolve("absent"), List.of())))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("absent");
  }

  @Test
  void trainAndResumeGoOnFromTheCheckpointBeforeADamagedOneAndEndAsIfNothingHadHappened() throws IOException {
    train("training.maxSteps=30");
    List<Double> whole = engine.sessions.get(0).losses;
    for (boolean sameCommand : List.of(true, false)) {
      runs = root.resolve("runs/" + sameCommand);
      train("training.maxSteps=13");
      Path manifest = runs.resolve("checkpoints/step-00000013/manifest.json");
      Files.writeString(manifest, Files.readString(manifest).replace("\"step\" : 13", "\"step\" : 18"));
      notices.clear();
      RunResult result = sameCommand
          ? train("training.maxSteps=30")
          : valetts.resume(new ResumeRequest(runs, List.of(ConfigOverride.parse("training.maxSteps=30"))));
      assertThat(result.step()).isEqualTo(30);
      assertThat(notices).anyMatch(text -> text.contains("step-00000013 is damaged: manifest.json"));
      List<Double> rest = engine.sessions.get(engine.sessions.size() - 1).losses;
      assertThat(rest).isEqualTo(whole.subList(10, 30));
    }
  }

  @Test
  void aRunWhoseConfigurationWasLostGoesOnWithThatOfItsCheckpoint() throws IOException {
    train("training.maxSteps=5");
    Files.writeString(runs.resolve("config.yaml"), "name: to");
    RunResult result = valetts.resume(new ResumeRequest(runs, List.of(ConfigOverride.parse("training.maxSteps=7"))));
    assertThat(result.step()).isEqualTo(7);
    assertThat(notices).anyMatch(text -> text.contains("config.yaml is missing or damaged"));
    assertThat(runs.resolve("config.yaml")).content().contains("maxSteps: 7");
  }

  @Test
  void aRunThatGoesOnSavesWhenItIsAsked() {
    AtomicReference<CheckpointResult> saved = new AtomicReference<>();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread asker = new Thread(() -> {
      try {
        saved.set(valetts.checkpoint(new CheckpointRequest(runs, 60)));
      } catch (RuntimeException e) {
        failure.set(e);
      }
    });
    engine.onCreate = session -> session.beforeStep = () -> {
      if (session.losses.isEmpty()) {
        asker.start();
      }
      // Steps go on until it is answered, which no number of steps would tell.
      for (int i = 0; i < 20 && session.losses.size() < 3900 && saved.get() == null && failure.get() == null; i++) {
        java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
      }
    };
    train("training.maxSteps=4000", "checkpoint.everySteps=null", "validation.everySteps=100000");
    assertThat(failure.get()).isNull();
    assertThat(saved.get().step()).isPositive().isLessThan(4000);
    assertThat(runs.resolve("control.jsonl")).content().contains("CHECKPOINT");
    assertThat(runs.resolve("inbox/checkpoint")).doesNotExist();

    assertThatThrownBy(() -> valetts.checkpoint(new CheckpointRequest(runs, 1)))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContainingAll("Nothing trains", "newest checkpoint is", "step-00004000");
    assertThatThrownBy(() -> valetts.checkpoint(new CheckpointRequest(root.resolve("nowhere"), 1)))
        .isInstanceOf(RequestException.class).hasMessageContaining("no run");
  }

  @Test
  void whatIsLeftToTheMachineIsSettledOnceAndSaved() {
    train("training.maxSteps=5", "training.precision=auto", "training.profile=auto");
    assertThat(runs.resolve("config.yaml")).content().contains("precision: fp32").contains("profile: cpu");
    train("training.maxSteps=6", "training.precision=auto", "training.profile=auto");
    assertThat(runs.resolve("config.yaml")).content().contains("precision: fp32").contains("profile: cpu");
  }

  @Test
  void aBudgetThatIsSpentEndsTheRunWithACheckpoint() {
    RunResult result = train("training.maxSteps=50", "cost={usdPerHour: 10, stopAfterHours: 0.001, maxUsd: 1000}");
    assertThat(result.reason()).contains("0.001 hours of this session");
    assertThat(result.step()).isLessThan(50);
    assertThat(result.checkpoint()).exists();
  }

  @Test
  void anotherNumberOfThreadsIsSaid() {
    train("training.maxSteps=5");
    engine.threads = 7;
    train("training.maxSteps=6");
    assertThat(notices).anyMatch(text -> text.contains("2 threads before and uses 7 now"));
  }

  @Test
  void aRunInUseIsRefused() {
    AtomicReference<Throwable> second = new AtomicReference<>();
    engine.onCreate = session -> {
      engine.onCreate = later -> {};
      session.beforeStep = () -> {
        if (second.get() == null) {
          try {
            train("training.maxSteps=5");
            second.set(new AssertionError("it was let in"));
          } catch (RuntimeException e) {
            second.set(e);
          }
        }
      };
    };
    train("training.maxSteps=5");
    assertThat(second.get()).isInstanceOf(CheckpointException.class).hasMessageContaining("another process");
  }

  @Test
  void aFailureEndsTheRunWithAReason() {
    engine.onCreate = session -> session.beforeStep = () -> {
      if (session.losses.size() == 7) {
        throw new EngineInternalException("the core stumbled");
      }
    };
    assertThatThrownBy(() -> train("training.maxSteps=20")).isInstanceOf(EngineInternalException.class);
    assertThat(events).filteredOn(RunEnded.class::isInstance).singleElement()
        .satisfies(event -> assertThat(((RunEnded) event).failed()).isTrue());
    assertThat(runs.resolve("checkpoints/step-00000005")).exists();
  }

  @Test
  void severalSpeakersEachSayTheSentences() {
    ToySpeech.folder(root.resolve("bia"), 8, 2);
    train("training.maxSteps=5", "data.sources=[{folder: " + root.resolve("bia") + ", speaker: bia}, {folder: "
        + root.resolve("ana") + ", speaker: ana}]");
    assertThat(runs.resolve("samples/step-00000005_ana_0.wav")).exists();
    assertThat(runs.resolve("samples/step-00000005_bia_0.wav")).exists();

    assertThatThrownBy(() -> synthesize(runs, "bad", null))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("ana, bia");
    assertThatThrownBy(() -> synthesize(runs, "bad", "carla"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("carla");
    assertThat(synthesize(runs, "bad", "bia").speaker()).isEqualTo("bia");
    assertThat(engine.spoken.get(0).speakerId()).isEqualTo(1);
  }

  @Test
  void synthesisWritesAudioAndHoldsItAgainstTheRecordings() throws IOException {
    train("training.maxSteps=5");
    SynthResult result = synthesize(runs, "Bad dog. Good men!", null);

    assertThat(engine.spoken).hasSize(2);
    SynthResult.Spoken spoken = result.spoken().get(0);
    assertThat(spoken.output()).exists();
    int symbols = engine.spoken.stream().mapToInt(utterance -> utterance.tokenIds().length).sum();
    assertThat(spoken.audioSeconds()).isCloseTo(symbols * 0.1 + 0.25, within(1e-6));
    JsonNode finding = json("evaluation.json").get(spoken.output().toAbsolutePath().toString());
    assertThat(finding.get("text").asText()).isEqualTo("Bad dog. Good men!");
    assertThat(finding.get("likeness").get("durationRatio").asDouble()).isBetween(1.0, 2.5);
    assertThat(notices).anyMatch(text -> text.startsWith("held against the recordings"));

    SynthResult fromCheckpoint = synthesize(result.checkpoint(), "bad", null);
    assertThat(fromCheckpoint.checkpoint()).isEqualTo(result.checkpoint());
  }

  @Test
  void textWithNothingToSayAndFoldersWithoutAVoiceAreRefused() {
    train("training.maxSteps=5");
    assertThatThrownBy(() -> synthesize(runs, "!?", null)).isInstanceOf(TextException.class);
    assertThatThrownBy(() -> synthesize(root.resolve("ana"), "bad", null)).isInstanceOf(CheckpointException.class);
    assertThatThrownBy(() -> synthesize(root.resolve("nowhere"), "bad", null))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("nowhere");
  }

  @Test
  void preparationReportsWithoutTraining() throws IOException {
    Files.writeString(root.resolve("ana/metadata.csv"), "ghost|bad\n", java.nio.file.StandardOpenOption.APPEND);
    PrepareResult result = valetts.prepare(new PrepareRequest(config("data.maxBad=0.5"), List.of()));
    assertThat(result.usableClips()).isEqualTo(12);
    assertThat(result.badClips()).isEqualTo(1);
    assertThat(result.report()).contains("ghost").contains("metadata.csv:13");
    // The report lists the rows; nothing else does as well.
    assertThat(notices).noneMatch(notice -> notice.contains("ghost"));
    assertThat(result.reportFile()).exists();
    assertThat(result.reportPage()).content().contains("A run would start", "metadata.csv:13");
    assertThat(Files.readAllLines(result.reportFile().resolveSibling("clips.tsv"))).hasSize(13);
    assertThat(result.reportFile().resolveSibling("speakers.json")).content().contains("ana");
    assertThatThrownBy(() -> train("training.maxSteps=5"))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("ghost");
    assertThat(engine.sessions).isEmpty();
  }

  @Test
  void aRefusedRunLeavesItsReport() throws IOException {
    for (int i = 0; i < 12; i++) {
      Files.delete(root.resolve("ana/wavs/clip%03d.wav".formatted(i)));
    }
    assertThatThrownBy(() -> train("training.maxSteps=5"))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("12 x missing recording");
    assertThat(runs.resolve("data-report.html")).content().contains("A run would refuse", "metadata.csv:12");
    assertThat(valetts.prepare(new PrepareRequest(config(), List.of())).refusal()).contains("no usable clip");
  }

  @Test
  void infoDescribesRunsCheckpointsAndConfigurations() {
    RunResult run = train("training.maxSteps=5");
    assertThat(valetts.info(new InfoRequest(runs, null, false)).sections().get(0).rows())
        .contains(new InfoResult.Row("step", "5"));
    assertThat(valetts.info(new InfoRequest(run.checkpoint(), null, false)).sections().get(2).rows())
        .anyMatch(row -> row.name().equals("generator.safetensors"));
    assertThat(valetts.info(new InfoRequest(null, config(), true)).sections())
        .extracting(InfoResult.Section::title)
        .contains("Parameters", "One training step", "Memory after the step");
  }

  @Test
  void infoTakesItsStepInThePrecisionThatTrainingWouldTake() {
    assertThat(precisionOfOneStep("training.precision=auto", "training.device=cpu")).isEqualTo("fp32");
    engine.gpus = List.of("Tesla T4");
    assertThat(precisionOfOneStep("training.precision=auto", "training.device=auto")).isEqualTo("fp16");
    assertThat(precisionOfOneStep("training.precision=tf32", "training.device=auto")).isEqualTo("tf32");
    assertThat(precisionOfOneStep("training.precision=null", "training.profile=l4", "training.device=auto"))
        .isEqualTo("bf16");
  }

  private String precisionOfOneStep(String... overrides) {
    List<InfoResult.Section> sections = valetts.info(new InfoRequest(null, config(overrides), true)).sections();
    String said = sections.stream()
        .filter(section -> section.title().equals("One training step"))
        .flatMap(section -> section.rows().stream())
        .filter(row -> row.name().equals("precision"))
        .findFirst()
        .orElseThrow()
        .value();
    assertThat(engine.configs.get(engine.configs.size() - 1).precision()).isEqualTo(said);
    return said;
  }

  @Test
  void theSizeOfMicroBatchesMayChangeOnTheWay() {
    train("training.maxSteps=5");
    assertThat(engine.sessions.get(0).pieces).noneMatch(piece -> utterances(piece) == 1);
    RunResult result =
        valetts.resume(new ResumeRequest(runs, List.of(
            ConfigOverride.parse("training.microBatch=1"), ConfigOverride.parse("training.maxSteps=8"))));
    assertThat(result.step()).isEqualTo(8);
    assertThat(engine.sessions.get(1).pieces).isNotEmpty().allMatch(piece -> utterances(piece) == 1);
    assertThat(runs.resolve("config.yaml")).content().contains("microBatch: 1");
  }

  private static long utterances(String piece) {
    return piece.chars().filter(character -> character == '+').count() + 1;
  }

  @Test
  void aVocabularyTooSmallForTheSymbolsIsRefused() {
    assertThatThrownBy(() -> train("model.vocabularySize=5"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("model.vocabularySize");
  }

  private RunResult train(String... overrides) {
    return valetts.train(new TrainRequest(config(overrides), runs, List.of()));
  }

  private SynthResult synthesize(Path voice, String text, String speaker) {
    Path output = root.resolve("out/speech.wav");
    return valetts.synthesize(
        new SynthRequest(voice, List.of(new SynthRequest.Line(text, output)), speaker, null, null, null, null, 0, "cpu", 0));
  }

  private ValettsConfig config(String... overrides) {
    List<ConfigOverride> all = new ArrayList<>();
    all.add(ConfigOverride.parse("data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]"));
    all.add(ConfigOverride.parse("text.frontEnd=characters"));
    all.add(ConfigOverride.parse("validation.everySteps=5"));
    all.add(ConfigOverride.parse("validation.sentences=[bad dog]"));
    all.add(ConfigOverride.parse("checkpoint.everySteps=5"));
    all.add(ConfigOverride.parse("monitor.logEverySteps=1"));
    for (String override : overrides) {
      all.add(ConfigOverride.parse(override));
    }
    return ConfigLoader.bundled("tiny", all);
  }

  private JsonNode json(String name) throws IOException {
    return new ObjectMapper().readTree(runs.resolve(name).toFile());
  }
}
