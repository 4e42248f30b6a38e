package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.engine.Engine;
import ai.valetts.engine.jni.NativeEngine;
import ai.valetts.event.RunEvent;
import ai.valetts.event.StepCompleted;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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

  @Test
  void runsAreEqualHoweverRarelyTheirMetricsAreRead() throws Exception {
    ToySpeech.folder(root.resolve("ana"), 12, 1);
    Engine engine = NativeEngine.open(EndToEnd.cacheFolder());
    try (ValeTts valetts =
        new ValeTts(EndToEnd.cacheFolder(), text -> {}, config -> List.of(events::add), () -> engine, false)) {
      RunResult each = valetts.train(new TrainRequest(config(STEPS / 2), root.resolve("each"), List.of()));
      Map<Long, Map<String, Double>> expected = losses();

      ValettsConfig rarely =
          config(11, ConfigOverride.parse("training.metricsEverySteps=5"), ConfigOverride.parse("checkpoint.everySteps=8"));
      valetts.train(new TrainRequest(rarely, root.resolve("rarely"), List.of()));
      RunResult rare =
          valetts.resume(
              new ResumeRequest(root.resolve("rarely"), List.of(
                  ConfigOverride.parse("training.maxSteps=" + STEPS / 2),
                  ConfigOverride.parse("training.metricsEverySteps=100"))));
      assertThat(losses()).isEqualTo(expected).hasSize(STEPS / 2);
      List<List<Object>> journal = journal(root.resolve("each"));
      assertThat(journal(root.resolve("rarely")))
          .as("the same, and the validation that ended the first part")
          .containsSubsequence(journal)
          .hasSize(journal.size() + 1);
      for (String file : TENSOR_FILES) {
        assertThat(Files.mismatch(rare.checkpoint().resolve(file), each.checkpoint().resolve(file)))
            .as(file)
            .isEqualTo(-1);
      }
    }
  }

  /** What a run's journal says of steps and validations: kind, step and losses, in its order. */
  private static List<List<Object>> journal(Path run) throws Exception {
    List<List<Object>> lines = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode entry = new ObjectMapper().readTree(line);
      if (List.of("step", "validation").contains(entry.path("kind").asText())) {
        Map<String, String> values = new TreeMap<>();
        entry.path("scalars").properties().forEach(one -> values.put(one.getKey(), one.getValue().asText()));
        values.keySet().removeIf(tag -> !tag.matches("(loss|val)/.*|grad_norm_.*|learning_rate"));
        lines.add(List.of(entry.path("kind").asText(), entry.path("step").asLong(), values));
      }
    }
    return lines;
  }

  private ValettsConfig config(int steps, ConfigOverride... more) {
    List<ConfigOverride> overrides = new ArrayList<>(overrides(steps));
    overrides.addAll(List.of(more));
    return ConfigLoader.bundled("tiny", overrides);
  }

  private List<ConfigOverride> overrides(int steps) {
    return List.of(
        ConfigOverride.parse("data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]"),
        ConfigOverride.parse("text.frontEnd=characters"),
        ConfigOverride.parse("training.maxSteps=" + steps),
        ConfigOverride.parse("training.threads=2"),
        ConfigOverride.parse("model.dropout=0.1"),
        ConfigOverride.parse("validation.everySteps=15"),
        ConfigOverride.parse("monitor.logEverySteps=1"),
        ConfigOverride.parse("validation.sentences=[bad]"));
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
