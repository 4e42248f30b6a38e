package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.engine.Engine;
import ai.valetts.engine.jni.NativeEngine;
import ai.valetts.event.RunEvent;
import ai.valetts.event.StepCompleted;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Same seed, configuration and threads: the same losses and weights, bit for bit, with the real core. */
@Tag("e2e")
class DeterminismEndToEndTest {
  private static final List<String> TENSOR_FILES =
      List.of(
          "generator.safetensors",
          "discriminator.safetensors",
          "duration_discriminator.safetensors",
          "optimizer_generator.safetensors",
          "optimizer_discriminator.safetensors",
          "optimizer_duration_discriminator.safetensors");

  /** Each half has a validation. */
  private static final int STEPS = 32;

  @TempDir private Path root;
  private final List<RunEvent> events = Collections.synchronizedList(new ArrayList<>());

  @Test
  void equalRunsAndResumedRunsAreEqualBitForBit() throws Exception {
    ToySpeech.folder(root.resolve("ana"), 12, 1);
    Engine engine = NativeEngine.open(EndToEnd.cacheFolder());
    try (ValeTts valetts =
        new ValeTts(EndToEnd.cacheFolder(), text -> {}, config -> List.of(events::add), () -> engine, false)) {
      RunResult whole = valetts.train(new TrainRequest(config(STEPS), root.resolve("whole"), List.of()));
      Map<Long, Map<String, Double>> wholeLosses = losses();
      assertThat(wholeLosses).hasSize(STEPS);

      valetts.train(new TrainRequest(config(STEPS / 2), root.resolve("halves"), List.of()));
      Map<Long, Map<String, Double>> joined = losses();
      assertThat(joined).as("the first half again").hasSize(STEPS / 2);
      RunResult halves =
          valetts.resume(
              new ResumeRequest(root.resolve("halves"), List.of(ConfigOverride.parse("training.maxSteps=" + STEPS))));
      joined.putAll(losses());
      assertThat(joined).hasSize(STEPS);
      joined.forEach((step, values) -> assertThat(values).as("step %d", step).isEqualTo(wholeLosses.get(step)));
      for (String file : TENSOR_FILES) {
        assertThat(Files.mismatch(halves.checkpoint().resolve(file), whole.checkpoint().resolve(file)))
            .as(file)
            .isEqualTo(-1);
      }
    }
  }

  private ValettsConfig config(int steps) {
    return ConfigLoader.bundled("tiny", List.of(
        ConfigOverride.parse("data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]"),
        ConfigOverride.parse("text.frontEnd=characters"),
        ConfigOverride.parse("training.maxSteps=" + steps),
        ConfigOverride.parse("training.threads=2"),
        ConfigOverride.parse("model.dropout=0.1"),
        ConfigOverride.parse("validation.everySteps=15"),
        ConfigOverride.parse("validation.sentences=[bad]")));
  }

  /** Losses and gradient norms by step since the last call; speed, cost and memory are not among them. */
  private Map<Long, Map<String, Double>> losses() {
    Map<Long, Map<String, Double>> losses = new TreeMap<>();
    for (RunEvent event : events) {
      if (event instanceof StepCompleted step) {
        Map<String, Double> values = new TreeMap<>(step.scalars());
        values.keySet().removeIf(tag -> !tag.startsWith("loss/") && !tag.startsWith("grad_norm_"));
        losses.put(step.step(), values);
      }
    }
    events.clear();
    return losses;
  }
}
