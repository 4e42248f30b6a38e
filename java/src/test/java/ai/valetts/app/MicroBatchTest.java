package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.engine.Batch;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.EngineOutOfMemoryException;
import ai.valetts.engine.EngineSystem;
import ai.valetts.engine.ModelDescription;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.StepPhase;
import ai.valetts.engine.TrainingSession;
import ai.valetts.training.FakeSession;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The measured size of micro-batches, on a simulated GPU whose memory grows with the batch. */
class MicroBatchTest {
  private static final int CLIPS = 40;

  @TempDir private Path root;
  private final List<Integer> measured = new ArrayList<>();
  private final List<String> notices = new ArrayList<>();
  private String gpu = "Simulated GPU";

  @Test
  void takesWhatTheConfigurationSays() {
    assertThat(choose(1_000, count -> count, "training.microBatch=3")).isEqualTo(3);
    assertThat(choose(1_000, count -> count, "training.microBatch=999")).isEqualTo(32);
    assertThat(measured).isEmpty();
  }

  @Test
  void onTheProcessorABatchStaysInOnePiece() {
    assertThat(choose(0, count -> count)).isEqualTo(32);
  }

  @Test
  void fillsNineTenthsOfTheGpuAndRemembersIt() {
    // 100 for the networks, 30 an utterance, of 1,000: (900 - 100) / 30.
    assertThat(choose(1_000, count -> 100 + 30 * count)).isEqualTo(26);
    assertThat(measured).containsExactly(1, 2, 4, 8, 16, 32);
    assertThat(notices).anyMatch(text -> text.contains("26 of up to 32"));
    measured.clear();
    assertThat(choose(1_000, count -> 100 + 30 * count)).isEqualTo(26);
    assertThat(measured).isEmpty();
    assertThat(choose(1_000, count -> 100 + 30 * count, "training.segmentSamples=3072")).isEqualTo(26);
    assertThat(measured).isNotEmpty();
  }

  @Test
  void onAnotherGpuItIsMeasuredAnew() {
    assertThat(choose(1_000, count -> 100 + 30 * count)).isEqualTo(26);
    gpu = "Smaller GPU";
    assertThat(choose(500, count -> 100 + 30 * count)).isEqualTo(11);
    gpu = "Simulated GPU";
    measured.clear();
    assertThat(choose(1_000, count -> 100 + 30 * count)).isEqualTo(26);
    assertThat(measured).isEmpty();
  }

  @Test
  void aRunningMeanTakesMemoryOfItsOwn() {
    assertThat(choose(1_000, count -> 100 + 30 * count)).isEqualTo(26);
    measured.clear();
    assertThat(choose(1_000, count -> 300 + 30 * count, "optimizer.averageDecay=0.999")).isEqualTo(20);
    assertThat(measured).isNotEmpty();
  }

  @Test
  void aWholeBatchThatFitsIsNotSplit() {
    assertThat(choose(100_000, count -> 100 + 30 * count)).isEqualTo(32);
  }

  @Test
  void oneUtteranceAtLeastGoesThrough() {
    assertThat(choose(1_000, count -> 950 + count)).isEqualTo(1);
    assertThat(choose(90, count -> 100 + count)).isEqualTo(1);
  }

  private int choose(int memory, IntUnaryOperator need, String... overrides) {
    if (!Files.exists(root.resolve("ana"))) {
      ToySpeech.folder(root.resolve("ana"), CLIPS, 1);
    }
    List<ConfigOverride> all = new ArrayList<>(List.of(
        ConfigOverride.parse("data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]"),
        ConfigOverride.parse("text.frontEnd=characters"),
        ConfigOverride.parse("data.batchSize=32"),
        ConfigOverride.parse("training.device=" + (memory == 0 ? "cpu" : "cuda:0"))));
    for (String override : overrides) {
      all.add(ConfigOverride.parse(override));
    }
    ValettsConfig config = ConfigLoader.bundled("tiny", all);
    FakeEngine engine = new FakeEngine() {
      @Override
      public EngineSystem system() {
        return new EngineSystem("fake", "none", "none", memory > 0, memory > 0 ? List.of(gpu) : List.of(), 1);
      }

      @Override
      public TrainingSession createSession(EngineConfig engineConfig) {
        return new SimulatedGpu(memory, need);
      }
    };
    return new Preparation(root.resolve("cache"), new NoticedProgress(text -> {}, System::nanoTime)).with(
        config,
        Optional.empty(),
        (frontEnd, data) -> {
          EngineConfig engineConfig = EngineConfigs.of(config, data.symbols().size(), data.speakers().size());
          return new MicroBatch(engine, root.resolve("cache"), notices::add).choose(config, engineConfig, data);
        });
  }

  private final class SimulatedGpu extends FakeSession {
    private final int memory;
    private final IntUnaryOperator need;
    private int peak;

    SimulatedGpu(int memory, IntUnaryOperator need) {
      this.memory = memory;
      this.need = need;
    }

    @Override
    public void accumulate(StepPhase phase, Batch batch, StepParams step) {
      if (phase == StepPhase.DISCRIMINATORS) {
        measured.add(batch.size());
      }
      peak = Math.max(peak, need.applyAsInt(batch.size()));
      if (peak > memory) {
        throw new EngineOutOfMemoryException("CUDA out of memory.");
      }
      super.accumulate(phase, batch, step);
    }

    @Override
    public ModelDescription describe() {
      return new ModelDescription(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, peak, memory - peak, memory, 0, "cuda:0");
    }
  }
}
