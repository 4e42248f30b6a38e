package ai.valetts.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.event.AudioSample;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.HeatMap;
import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConsoleAndJournalTest {
  private static final long SECOND = 1_000_000_000L;

  @TempDir private Path root;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private long now = 1000 * SECOND;

  @Test
  void plainLinesShowLossesSpeedAndTimeToGo() {
    ConsoleProgress console = console();
    console.on(new RunStarted("ana", 0, false, "cpu", ""));
    console.on(step(1));
    assertThat(text())
        .contains("run ana starts on cpu")
        .contains("step 1 epoch 0 | mel 0.900 kl 1.50")
        .contains("2.00 it/s 16.0 utt/s 0.75 h audio/h")
        .contains("6 min 12 s to go (10 minutes)")
        .doesNotContain("\r");
  }

  @Test
  void plainLinesComeNeitherTooOftenNorTooSeldom() {
    ConsoleProgress console = console();
    for (int i = 1; i <= 100; i++) {
      now += SECOND / 10;
      console.on(step(i));
    }
    // The first, then every tenth step but only two seconds apart: 20, 40, ... after step 1 at 0.1 s.
    assertThat(text().lines()).hasSizeBetween(4, 6);
    now += 31 * SECOND;
    long before = text().lines().count();
    console.on(step(101));
    assertThat(text().lines().count()).isEqualTo(before + 1);
  }

  @Test
  void saysNothingOfTimeWithoutALimit() {
    ConsoleProgress console = console();
    console.on(new StepCompleted(1, 0, Map.of(), new Progress(1, 1, 1, 1, 0, Double.NaN, "")));
    assertThat(text()).doesNotContain("to go");
  }

  @Test
  void saysWhatARunCostsAndWhenTheMachineGoes() {
    ConsoleProgress console = console();
    Map<String, Double> scalars = Map.of(
        "cost/usd", 1.234, "cost/usd_at_end", 5.0, "cost/units", 12.0, "cost/session_hours_left", 3.5);
    console.on(new StepCompleted(1, 0, scalars, new Progress(1, 1, 1, 1, 0, Double.NaN, "")));
    assertThat(text()).contains(" | 1.23 of 5.00 USD, 12.00 units, session 3 h 30 min left");
    bytes.reset();
    console().on(new StepCompleted(1, 0, Map.of("cost/session_hours", 1.0), new Progress(1, 1, 1, 1, 0, 9, "")));
    assertThat(text()).doesNotContain("USD").doesNotContain("session");
  }

  @Test
  void aTerminalGetsABarAndNoticesOnLinesOfTheirOwn() {
    ConsoleProgress console = new ConsoleProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8), true, 10);
    console.on(step(1));
    console.on(Notice.warning("look out"));
    console.on(new RunEnded(1, "done", false));
    console.close();
    assertThat(text()).contains("\u001b[1;33mwarning: look out\u001b[0m").contains("run ended at step 1: done").contains("%");
  }

  @Test
  void warningsAndFailuresAreMarkedInALog() {
    ConsoleProgress console = console();
    console.on(Notice.warning("look out"));
    console.on(Notice.info("all is well"));
    console.on(new RunEnded(1, "no memory", true));
    assertThat(text().lines())
        .containsExactly("!!! warning: look out", "all is well", "!!! run ended at step 1: no memory")
        .noneMatch(line -> line.contains("\u001b"));
  }

  @Test
  void aValidationIsATableAgainstTheOneBeforeAndTheBest() {
    ConsoleProgress console = console();
    console.on(validation(1000, 0.8, 2));
    console.on(validation(2000, 0.6, Double.NaN));
    console.on(validation(3000, 0.9, 2));
    assertThat(text().lines())
        .containsExactly(
            "validation at step 1,000 (1.0 s)",
            "  mel_l1      0.8000",
            "  kl          2.0000",
            "validation at step 2,000 (1.0 s)",
            "  mel_l1      0.6000   -25.0 %  best",
            "  kl             NaN     NaN %  best 2.0000 at step 1,000",
            "validation at step 3,000 (1.0 s)",
            "  mel_l1      0.9000   +50.0 %  best 0.6000 at step 2,000",
            "  kl          2.0000     NaN %  best");
  }

  @Test
  void aResumedRunHoldsItsValidationsAgainstThoseBefore() {
    ConsoleProgress console = console();
    console.on(new RunStarted(
        "ana", 2000, true, "cpu", "", Map.of(), List.of(validation(1000, 0.6, 1), validation(2000, 0.8, 2))));
    console.on(validation(3000, 0.4, 3));
    assertThat(text().lines())
        .containsExactly(
            "run ana goes on at step 2000 on cpu",
            "validation at step 3,000 (1.0 s)",
            "  mel_l1      0.4000   -50.0 %  best",
            "  kl          3.0000   +50.0 %  best 1.0000 at step 1,000");
  }

  private static ValidationCompleted validation(long step, double mel, double kl) {
    Map<String, Double> scalars = new LinkedHashMap<>();
    scalars.put("val/mel_l1", mel);
    scalars.put("val/kl", kl);
    return new ValidationCompleted(step, scalars, List.of(), List.of(), 1);
  }

  @Test
  void durationsReadLikeDurations() {
    assertThat(ConsoleProgress.duration(59.4)).isEqualTo("59 s");
    assertThat(ConsoleProgress.duration(372)).isEqualTo("6 min 12 s");
    assertThat(ConsoleProgress.duration(7325)).isEqualTo("2 h 02 min");
    assertThat(ConsoleProgress.duration(Double.NaN)).isEqualTo("unknown time");
  }

  @Test
  void theJournalHoldsOneReadableLineAnEventAndIsAppendedTo() throws IOException {
    Path file = root.resolve("metrics.jsonl");
    for (int session = 0; session < 2; session++) {
      try (MetricsJournal journal = new MetricsJournal(file, 2)) {
        journal.on(new RunStarted("ana", 0, session > 0, "cpu", ""));
        journal.on(step(1));
        journal.on(step(2));
        journal.on(new ValidationCompleted(2, Map.of("val/mel_ratio", Double.NaN), List.of(), List.of(), 1));
        journal.on(new CheckpointSaved(2, root.resolve("step-2"), 77));
        journal.on(Notice.warning("a \"quoted\" notice"));
        journal.on(new RunEnded(2, "done", false));
      }
    }
    List<String> lines = Files.readAllLines(file);
    assertThat(lines).hasSize(12);
    JsonNode step = new ObjectMapper().readTree(lines.get(1));
    assertThat(step.get("kind").asText()).isEqualTo("step");
    assertThat(step.get("step").asLong()).isEqualTo(2);
    assertThat(step.get("scalars").get("loss/g/mel_l1").asDouble()).isEqualTo(0.9);
    assertThat(new ObjectMapper().readTree(lines.get(4)).get("text").asText()).isEqualTo("a \"quoted\" notice");
  }

  @Test
  void whatAValidationMadeIsKeptInFilesAndTheRecordingsOnce() throws IOException {
    MediaFiles media = new MediaFiles(root);
    for (long step : new long[] {500, 1000}) {
      media.on(
          new ValidationCompleted(
              step,
              Map.of(),
              List.of(
                  new AudioSample("gt/audio", new float[8], 8000, ""),
                  new AudioSample("gen/audio", new float[4], 8000, ""),
                  new AudioSample("sample/Joã o/0", new float[8], 8000, "oi")),
              List.of(new HeatMap("all/attn", 1, 2, new float[2])),
              1));
    }
    try (Stream<Path> files = Files.walk(root)) {
      assertThat(files.filter(Files::isRegularFile).map(file -> root.relativize(file).toString()))
          .containsExactlyInAnyOrder(
              "samples/step-00000500_Joã_o_0.wav",
              "samples/step-00001000_Joã_o_0.wav",
              "media/gt_audio.wav",
              "media/step-00000500/gen_audio.wav",
              "media/step-00001000/gen_audio.wav",
              "media/step-00000500/all_attn.png",
              "media/step-00001000/all_attn.png");
    }
    assertThat(Files.size(root.resolve("samples/step-00000500_Joã_o_0.wav"))).isEqualTo(44 + 16);
  }

  private ConsoleProgress console() {
    return new ConsoleProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8), false, 10, () -> now);
  }

  private static StepCompleted step(long step) {
    return new StepCompleted(
        step,
        0,
        Map.of("loss/g/mel_l1", 0.9, "loss/g/kl", 1.5),
        new Progress(2, 16, 0.75, 228, 0.38, 372, "10 minutes"));
  }

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
