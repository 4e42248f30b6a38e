package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.PythonTools;
import ai.valetts.app.EndToEnd.Ended;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** The demo in short: real recordings fetched, a few steps, a sentence, and event files that TensorBoard reads. */
@Tag("e2e")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DemoEndToEndTest {
  private static final String READ_EVENTS =
      """
      import sys
      from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
      events = EventAccumulator(sys.argv[1], size_guidance={'audio': 0, 'images': 0, 'scalars': 0, 'tensors': 0})
      events.Reload()
      tags = events.Tags()
      print('scalars', sorted(tags['scalars']))
      print('images', sorted(tags['images']))
      print('audio', sorted(tags['audio']))
      print('tensors', sorted(tags['tensors']))
      print('steps', [event.step for event in events.Scalars('loss/g/total')])
      sample = events.Audio('gen/audio')[-1]
      print('audio bytes', len(sample.encoded_audio_string), sample.content_type, sample.sample_rate)
      """;

  @TempDir private static Path root;

  @Test
  @Order(1)
  void trainsAFewStepsOnRealRecordingsAndSpeaks() throws Exception {
    Ended trained =
        EndToEnd.valetts(root, "train", "--demo", "--steps", "3", "--set", "data.validationClips=4", "--set",
            "validation.audioClips=1", "--set", "data.batchSize=4", "--set", "monitor.logEverySteps=1");
    assumeFalse(trained.output().contains("apt-get could not download"), "the demo recordings cannot be fetched here");
    assumeFalse(trained.output().contains("this machine has no apt-get"), "there is no package client here");
    assertThat(trained.exitCode()).as(trained.output()).isZero();
    Path run = root.resolve("runs/demo");
    JsonNode summary = new ObjectMapper().readTree(run.resolve("summary.json").toFile());
    assertThat(summary.get("validation").get("val/mel_ratio").asDouble()).isBetween(0.1, 3.0);
    assertThat(summary.get("skippedSteps").asInt()).isZero();

    Ended spoken =
        EndToEnd.valetts(root, "synth", "--voice", "runs/demo", "--text", "Please hold the line.", "--out", "hold.wav");
    assertThat(spoken.exitCode()).as(spoken.output()).isZero();
    assertThat(Files.size(root.resolve("hold.wav"))).isGreaterThan(4000);
    assertThat(spoken.output()).contains("held against the recordings");
    assertThat(run.resolve("samples")).isDirectoryContaining("glob:**/step-00000003_*.wav");
  }

  @Test
  @Order(2)
  void tensorBoardReadsTheEventFiles() throws Exception {
    Path events = root.resolve("runs/demo/tensorboard");
    assumeTrue(Files.isDirectory(events), "there was no demo run");
    Path python = PythonTools.withTensorBoard();
    Path script = Files.writeString(root.resolve("read_events.py"), READ_EVENTS);
    PythonTools.Ended read =
        PythonTools.run(120, Map.of(), python.toString(), script.toString(), events.toString());
    assertThat(read.exitCode()).as(read.output()).isZero();
    assertThat(read.output())
        .contains("'loss/g/total'", "'loss/d/total'", "'loss/g/kl'", "'loss/d_r/5'", "'learning_rate'", "'val/mel_ratio'")
        .contains("'all/attn'", "'gen/mel'", "'gt/mel'", "'gen/audio'", "'gt/audio'", "'sample/", "run/config")
        .contains("steps [1, 2, 3]")
        .contains("audio/wav 16000");
  }
}
