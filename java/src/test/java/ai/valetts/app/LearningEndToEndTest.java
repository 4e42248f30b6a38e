package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.BatchAssembler;
import ai.valetts.data.Clip;
import ai.valetts.data.DatasetPreparation;
import ai.valetts.data.PreparedData;
import ai.valetts.data.corpus.CorpusReader;
import ai.valetts.engine.Batch;
import ai.valetts.engine.Engine;
import ai.valetts.engine.Evaluation;
import ai.valetts.engine.Inspection;
import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.jni.NativeEngine;
import ai.valetts.evaluation.ConstantSpectrum;
import ai.valetts.event.RunEvent;
import ai.valetts.event.StepCompleted;
import ai.valetts.text.SymbolTable;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Four clips, learnt by heart with the real core. It is easy to lower the mel loss without learning anything, so the tests
 * ask what was learnt: the sound of the decoder's input, and the order of the text.
 */
@Tag("e2e")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LearningEndToEndTest {
  private static final int STEPS = 300;

  private final List<RunEvent> events = Collections.synchronizedList(new ArrayList<>());
  private Engine engine;
  private ValettsConfig config;
  private TextFrontEnd frontEnd;
  private PreparedData data;
  private TrainingSession session;
  private BatchAssembler assembler;

  @BeforeAll
  void learnByHeart(@TempDir Path root) throws Exception {
    ToySpeech.folder(root.resolve("ana"), 4, 3);
    config = ConfigLoader.bundled("tiny", List.of(
        ConfigOverride.parse("data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]"),
        ConfigOverride.parse("data.validationClips=0"),
        ConfigOverride.parse("validation.audioClips=0"),
        ConfigOverride.parse("validation.sentences=[]"),
        ConfigOverride.parse("text.frontEnd=characters"),
        ConfigOverride.parse("model.hiddenChannels=32"),
        ConfigOverride.parse("model.interChannels=32"),
        ConfigOverride.parse("model.filterChannels=64"),
        ConfigOverride.parse("model.posteriorLayers=4"),
        ConfigOverride.parse("model.upsampleInitialChannels=64"),
        ConfigOverride.parse("model.durationPredictor=deterministic"),
        ConfigOverride.parse("model.noiseScaledAlignment=false"),
        ConfigOverride.parse("optimizer.learningRate=2e-3"),
        ConfigOverride.parse("training.maxSteps=" + STEPS),
        ConfigOverride.parse("checkpoint.everySteps=null")));
    Path cache = EndToEnd.cacheFolder();
    engine = NativeEngine.open(cache);
    Path run = root.resolve("run");
    try (ValeTts valetts = new ValeTts(cache, text -> {}, c -> List.of(events::add), () -> engine, false)) {
      valetts.train(new TrainRequest(config, run, List.of()));
    }
    Path checkpoint = CheckpointStore.newest(run.resolve("checkpoints"), text -> {}).orElseThrow().directory();
    SymbolTable symbols = SymbolTable.read(checkpoint.resolve(SavedVoice.SYMBOLS));
    frontEnd = TextFrontEnds.open(config.text(), symbols);
    data = DatasetPreparation.prepare(
        CorpusReader.read(config.data().sources(), cache, 1, text -> {}),
        config.data(),
        config.text(),
        config.audio(),
        frontEnd,
        cache.resolve("prepared"),
        new NoticedProgress(text -> {}, System::nanoTime));
    session = engine.createSession(EngineConfigs.of(config, symbols.size(), 1));
    session.load(checkpoint);
    assembler = new BatchAssembler(data, config.audio().hopLength());
  }

  @AfterAll
  void close() {
    session.close();
    data.close();
    frontEnd.close();
  }

  @Test
  void drivesTheMelErrorDown() {
    List<Double> melL1 =
        events.stream()
            .filter(StepCompleted.class::isInstance)
            .map(event -> ((StepCompleted) event).scalars().get("loss/g/mel_l1"))
            .toList();
    assertThat(melL1).hasSize(STEPS).allMatch(Double::isFinite);
    double last = melL1.subList(STEPS - 20, STEPS).stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    assertThat(last).isLessThan(0.9);
  }

  @Test
  void alignsEveryTokenInOrder() {
    for (Clip clip : data.training()) {
      try (Batch batch = assembler.assemble(List.of(clip))) {
        Inspection inspection = session.inspect(batch);
        int tokens = inspection.tokens();
        int frames = inspection.recordingMel().frames();
        assertThat(tokens).isEqualTo(clip.tokenIds().length);
        assertThat(frames).isEqualTo(clip.frames(config.audio().hopLength()));
        int previous = 0;
        for (int frame = 0; frame < frames; frame++) {
          int covering = -1;
          for (int token = 0; token < tokens; token++) {
            if (inspection.alignment()[token * frames + frame] == 1) {
              assertThat(covering).as("tokens at frame %d", frame).isEqualTo(-1);
              covering = token;
            }
          }
          assertThat(covering).as("token at frame %d", frame).isBetween(previous, previous + (frame == 0 ? 0 : 1));
          previous = covering;
        }
        assertThat(previous).isEqualTo(tokens - 1);
      }
    }
  }

  @Test
  void decodesFarBetterThanTheBestConstantSpectrum() {
    List<Spectrogram> mels =
        data.training().stream()
            .map(clip -> engine.melSpectrogram(config.audio(), data.samples(clip)))
            .toList();
    double constant = ConstantSpectrum.of(mels).meanL1(mels);
    double decoded = evaluate(data.training()).melL1();
    assertThat(decoded).isLessThan(0.7 * constant);
  }

  @Test
  void theRightTextFitsTheRecordingBetterThanAnyOther() {
    // Nats a frame: about 1 for the right text, 8 for the others.
    double right = evaluate(data.training()).kl();
    List<Clip> exchanged = new ArrayList<>();
    List<Clip> reversed = new ArrayList<>();
    List<Clip> clips = data.training();
    for (int i = 0; i < clips.size(); i++) {
      exchanged.add(withTokens(clips.get(i), fitted(clips.get((i + 1) % clips.size()).tokenIds(), clips.get(i))));
      reversed.add(withTokens(clips.get(i), reversed(clips.get(i).tokenIds())));
    }
    double other = evaluate(exchanged).kl();
    double backwards = evaluate(reversed).kl();
    assertThat(other).isGreaterThan(right + 2);
    assertThat(backwards).isGreaterThan(right + 2);
  }

  private Evaluation evaluate(List<Clip> clips) {
    try (Batch batch = assembler.assemble(clips)) {
      return session.evaluate(batch);
    }
  }

  private static Clip withTokens(Clip clip, int[] tokens) {
    return new Clip(clip.id(), clip.name(), clip.audioFile(), clip.metadataFile(), clip.line(), clip.text(),
        clip.language(), clip.speaker(), clip.speakerId(), tokens, clip.samples());
  }

  /** Another clip's tokens, cut or repeated to this clip's number of them, so that only the content differs. */
  private static int[] fitted(int[] tokens, Clip clip) {
    int[] result = clip.tokenIds().clone();
    for (int i = 1; i < result.length - 1; i++) {
      result[i] = tokens[1 + (i - 1) % (tokens.length - 2)];
    }
    return result;
  }

  private static int[] reversed(int[] tokens) {
    int[] result = tokens.clone();
    for (int i = 1; i < tokens.length - 1; i++) {
      result[i] = tokens[tokens.length - 1 - i];
    }
    return result;
  }
}
