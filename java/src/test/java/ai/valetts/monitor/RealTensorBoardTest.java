package ai.valetts.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.PythonTools;
import ai.valetts.event.AudioSample;
import ai.valetts.event.HeatMap;
import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TensorBoard itself reads our event files. */
@Tag("e2e")
class RealTensorBoardTest {
  @TempDir private Path root;

  @Test
  void readsEveryKindOfTagWithoutDoublePointsAfterTwoResumes() throws Exception {
    Path python = PythonTools.withTensorBoard();
    Path events = root.resolve("tensorboard");
    session(events, 0, 45, 0);
    // The first process was killed at 45 and had saved at 20; the second stopped at 30, where it saved.
    session(events, 20, 30, 1000);
    session(events, 30, 50, 2000);
    Path script = root.resolve("read_events.py");
    try (InputStream in = RealTensorBoardTest.class.getResourceAsStream("read_events.py")) {
      Files.copy(in, script);
    }
    PythonTools.Ended read = PythonTools.run(120, Map.of(), python.toString(), script.toString(), events.toString());
    assertThat(read.exitCode()).as(read.output()).isZero();
    JsonNode found = new ObjectMapper().readTree(read.output().substring(read.output().lastIndexOf("\n{") + 1));

    for (String tag : List.of("loss/g/total", "grad_norm_g", "amp/loss_scale", "perf/it_s", "gpu/0/power_w")) {
      assertThat(steps(found.get("scalars").get(tag))).as(tag).containsExactly(10, 20, 30, 40, 50);
    }
    assertThat(found.get("scalars").get("loss/g/total").toString())
        .isEqualTo("[[10,10.0],[20,20.0],[30,1030.0],[40,2040.0],[50,2050.0]]");
    assertThat(steps(found.get("scalars").get("val/mel_l1"))).containsExactly(20, 40);
    for (String tag : List.of("gt/mel", "gen/mel", "all/mel", "slice/mel_org", "slice/mel_gen", "all/attn")) {
      assertThat(steps(found.get("images").get(tag))).as(tag).containsExactly(20, 40);
      assertThat(found.get("images").get(tag).get(0).get(3).asText()).isEqualTo("89504e47");
    }
    assertThat(found.get("audio").get("sample/ana/0").toString())
        .isEqualTo("[[20,8000.0,80,\"audio/wav\",204],[40,8000.0,80,\"audio/wav\",204]]");
    assertThat(found.get("histograms").get("histogram/loss/g/total").toString())
        .isEqualTo(
            "[[10,10.0,1.0,10.0],[20,10.0,11.0,20.0],[30,10.0,1021.0,1030.0],[40,10.0,2031.0,2040.0],"
                + "[50,10.0,2041.0,2050.0]]");
    assertThat(steps(found.get("histograms").get("histogram/gen/mel"))).containsExactly(20, 40);
    assertThat(found.get("texts").get("run/config").toString()).contains("name: ana");
    assertThat(found.get("texts").get("run/environment").toString()).contains("| Java | 17 |");
    assertThat(found.get("texts").get("run/notices").toString()).contains("mind the gap");

    assertThat(steps(found.get("pages").get("loss/g/total"))).containsExactly(10, 20, 30, 40, 50);
    assertThat(steps(found.get("pages").get("gen/mel"))).containsExactly(20, 40);
    assertThat(steps(found.get("pages").get("histogram/grad_norm_g"))).containsExactly(10, 20, 30, 40, 50);
  }

  private static List<Integer> steps(JsonNode points) {
    List<Integer> steps = new ArrayList<>();
    points.forEach(point -> steps.add(point.get(0).asInt()));
    return steps;
  }

  private static void session(Path folder, long from, long to, double offset) throws Exception {
    try (TensorBoardMonitor monitor = new TensorBoardMonitor(folder, 10, true)) {
      monitor.on(new RunStarted("ana", from, from > 0, "cpu", "name: ana", Map.of("Java", "17")));
      for (long step = from + 1; step <= to; step++) {
        double value = step + offset;
        monitor.on(
            new StepCompleted(
                step,
                0,
                Map.of("loss/g/total", value, "grad_norm_g", value, "amp/loss_scale", value, "perf/it_s", value,
                    "gpu/0/power_w", value),
                new Progress(1, 1, 1, 1, 0, Double.NaN, "")));
        if (step % 20 == 0) {
          monitor.on(validation(step));
          monitor.on(Notice.warning("mind the gap"));
        }
      }
    }
  }

  private static ValidationCompleted validation(long step) {
    List<HeatMap> images = new ArrayList<>();
    for (String tag : List.of("gt/mel", "gen/mel", "all/mel", "slice/mel_org", "slice/mel_gen", "all/attn")) {
      images.add(new HeatMap(tag, 2, 3, new float[] {0, 1, 2, 3, 4, 5}));
    }
    return new ValidationCompleted(
        step, Map.of("val/mel_l1", 0.5), List.of(new AudioSample("sample/ana/0", new float[80], 8000, "oi")), images, 1);
  }
}
