package ai.valetts.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.event.AudioSample;
import ai.valetts.event.CheckpointSaved;
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
import java.util.List;
import java.util.Map;
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
  void aTerminalGetsABarAndNoticesOnLinesOfTheirOwn() {
    ConsoleProgress console = new ConsoleProgress(new PrintStream(bytes, true, StandardCharsets.UTF_8), true, 10);
    console.on(step(1));
    console.on(Notice.warning("look out"));
    console.on(new RunEnded(1, "done", false));
    console.close();
    assertThat(text()).contains("warning: look out").contains("run ended at step 1: done").contains("%");
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
  void synthesizedSentencesBecomeFilesAndRecordingsDoNot() throws IOException {
    SampleFiles samples = new SampleFiles(root.resolve("samples"));
    samples.on(
        new ValidationCompleted(
            500,
            Map.of(),
            List.of(
                new AudioSample("gt/audio", new float[8], 8000, ""),
                new AudioSample("sample/Joã o/0", new float[8], 8000, "oi")),
            List.of(),
            1));
    assertThat(root.resolve("samples")).isDirectoryContaining(
        file -> file.getFileName().toString().equals("step-00000500_Joã_o_0.wav"));
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
