package ai.valetts.training;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.checkpoint.RunIdentity;
import ai.valetts.config.AudioConfig;
import ai.valetts.config.CheckpointConfig;
import ai.valetts.config.ModelConfig;
import ai.valetts.config.OptimizerConfig;
import ai.valetts.config.SynthesisConfig;
import ai.valetts.config.TrainingConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.jni.NativeEngine;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.Notice;
import ai.valetts.event.RunEvent;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The loop over the real core. */
@Tag("native")
@Timeout(300)
class TrainerNativeTest {
  private static final int HOP = 64;
  private static final int STEPS = 23;

  /** Too loud for any spectrogram: its losses are not finite, which is found when they are read. */
  private static final int DEAFENING = 8;

  /** Its samples are not numbers, which the core sees before it does anything with them. */
  private static final int UNREADABLE = 16;

  private static Engine engine;

  @TempDir private Path root;

  /** What a run told and left. */
  private record Told(
      List<List<Object>> steps,
      List<List<Object>> validations,
      List<String> warnings,
      List<SkippedStep> skipped,
      Map<String, byte[]> files) {}

  @BeforeAll
  static void open() {
    engine = NativeEngine.open(Path.of(System.getProperty("java.io.tmpdir"), "valetts-border-test"));
  }

  @Test
  void aRunIsTheSameBitForBitHoweverRarelyItsMetricsAreRead() throws IOException {
    Told each = run(1, 8);
    assertThat(each.steps()).hasSize(STEPS - 2);
    assertThat(each.skipped()).extracting(SkippedStep::step).containsExactly((long) DEAFENING, (long) UNREADABLE);
    assertThat(each.skipped()).extracting(SkippedStep::reason).first().asString().contains("mel loss");
    assertThat(each.skipped()).extracting(SkippedStep::utterances)
        .containsExactly(List.of("tone 8.0", "tone 8.1"), List.of("tone 16.0", "tone 16.1"));
    assertThat(each.files().keySet()).anyMatch(name -> name.startsWith("step-00000012/optimizer_generator"));
    for (int microBatch : List.of(8, 1)) {
      Told expected = microBatch == 8 ? each : run(1, microBatch);
      Told rare = run(5, microBatch);
      assertThat(rare.steps()).isEqualTo(expected.steps());
      assertThat(rare.validations()).isEqualTo(expected.validations()).hasSize(4);
      assertThat(rare.warnings()).isEqualTo(expected.warnings());
      assertThat(rare.skipped()).isEqualTo(expected.skipped());
      assertThat(rare.files().keySet()).isEqualTo(expected.files().keySet());
      rare.files().forEach((name, bytes) -> assertThat(bytes).as(name).isEqualTo(expected.files().get(name)));
    }
  }

  private Told run(int metricsEverySteps, int microBatch) throws IOException {
    Path checkpoints = Files.createTempDirectory(root, "run");
    List<RunEvent> events = new ArrayList<>();
    List<SkippedStep> skipped = new ArrayList<>();
    try (TrainingSession session = engine.createSession(config())) {
      Tones tones = new Tones();
      Validator.Settings looks =
          new Validator.Settings(0, List.of(), new SynthesisConfig(0.6f, 0.8f, 1), 8000, 32, 1, Double.NaN);
      Trainer.Parts parts =
          new Trainer.Parts(
              session, tones, Optional.of(new Validator(session, tones, looks, () -> 0)),
              new CheckpointStore(checkpoints, 10, Map.of(), text -> {}), new RunIdentity(1, 1, "cpu", "hash"),
              new RunControl(entry -> {}), events::add, skipped::add, size -> {}, () -> 0);
      TrainingConfig training =
          new TrainingConfig(
              1, "cpu", 1, null, null, microBatch, metricsEverySteps, 32 * HOP, (long) STEPS, null, null, null);
      Trainer.Schedule schedule =
          new Trainer.Schedule(
              training, config().optimizer(), new CheckpointConfig(12, null, 10), 7, null, 8000, HOP, microBatch, true);
      new Trainer(parts, schedule, Optional.empty()).run();
    }
    assertThat(events).filteredOn(CheckpointSaved.class::isInstance).hasSize(2);
    return new Told(
        of(events, StepCompleted.class).map(step -> List.<Object>of(step.step(), step.epoch(), step.scalars())).toList(),
        of(events, ValidationCompleted.class).map(one -> List.<Object>of(one.step(), one.scalars())).toList(),
        of(events, Notice.class).map(Notice::text).toList(),
        skipped,
        tensors(checkpoints));
  }

  private static <T extends RunEvent> Stream<T> of(List<RunEvent> events, Class<T> type) {
    return events.stream().filter(type::isInstance).map(type::cast);
  }

  private static Map<String, byte[]> tensors(Path checkpoints) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(checkpoints)) {
      for (Path file : all.filter(path -> path.toString().endsWith(".safetensors")).toList()) {
        files.put(checkpoints.relativize(file).toString(), Files.readAllBytes(file));
      }
    }
    return files;
  }

  private static EngineConfig config() {
    ModelConfig model =
        new ModelConfig(
            12, 1, 0, "mel", 16, 16, 32, 2, 3, 3, 0.1f, false, 2, "pre_conv", 2, 1, "deterministic", "v2", true, null, 2,
            List.of(3), List.of(List.of(1, 3)), List.of(8, 8), List.of(16, 16), 16, 16);
    OptimizerConfig optimizer =
        new OptimizerConfig(2e-4, null, null, 0.9, null, 4, 0.8, 0.99, 1e-9, 0.01, 45, 1, null, null);
    return new EngineConfig(
        new AudioConfig(8000, 256, HOP, 256, 20, 0f, 0f), model, optimizer, 12, 1, 32 * HOP, 1, 1234, "cpu", "fp32", false);
  }

  /** Five batches of two tones an epoch, and one held out; lengths change from batch to batch. */
  private static final class Tones implements BatchSource, HeldOut {
    private int next;

    @Override
    public Batch next() {
      return tones(next++);
    }

    @Override
    public Optional<Batch> upcoming() {
      return Optional.empty();
    }

    @Override
    public int epoch() {
      return next / 5;
    }

    @Override
    public int batchInEpoch() {
      return next % 5;
    }

    @Override
    public int batchesPerEpoch() {
      return 5;
    }

    @Override
    public int batchCount() {
      return 1;
    }

    @Override
    public Batch batch(int index) {
      return tones(99);
    }

    @Override
    public int clipCount() {
      return 0;
    }

    @Override
    public Batch clip(int index) {
      throw new UnsupportedOperationException("no clip is looked at");
    }

    @Override
    public String text(int index) {
      throw new UnsupportedOperationException("no clip is looked at");
    }

    private static Batch tones(int number) {
      int[] samples = {(48 + 8 * (number % 3)) * HOP, 40 * HOP};
      Batch.Storage storage = new Batch.Storage();
      storage.ensure(2, 8, samples[0]);
      List<String> names = new ArrayList<>();
      for (int item = 0; item < 2; item++) {
        names.add("tone " + number + "." + item);
        storage.tokenLengths.put(item, 8 - item);
        storage.sampleLengths.put(item, samples[item]);
        storage.peaks.put(item, 0.3f);
        storage.speakerIds.put(item, 0);
        storage.utteranceIds.put(item, 10L * number + item);
        for (int t = 0; t < 8 - item; t++) {
          storage.tokenIds.put(item * 8 + t, 1 + (t + number) % 11);
        }
        double loudness = number == DEAFENING ? 1e30 : 0.3;
        for (int n = 0; n < samples[item]; n++) {
          double sample = loudness * Math.sin(n * (0.1 + 0.01 * (number % 7) + 0.05 * item));
          storage.samples.put(item * samples[0] + n, number == UNREADABLE ? Float.NaN : (float) sample);
        }
      }
      return new Batch(storage, 8, samples[0], names, returned -> {});
    }
  }
}
