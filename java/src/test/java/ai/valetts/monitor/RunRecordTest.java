package ai.valetts.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.event.AudioSample;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.HeatMap;
import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunRecordTest {
  @TempDir private Path root;

  @Test
  void whatWasWrittenIsRead() throws IOException {
    write(
        new RunStarted("ana", 0, false, "cpu", "name: ana", Map.of("Java", "17")),
        step(1, 5.5),
        Notice.warning("Step 1 was \"odd\"."),
        new ValidationCompleted(
            1,
            Map.of("val/mel_l1", 0.75),
            List.of(new AudioSample("sample/ana/0", new float[800], 8000, "Olá.")),
            List.of(new HeatMap("all/attn", 1, 1, new float[1])),
            2.5),
        new CheckpointSaved(1, root.resolve("checkpoints/step-00000001"), 77),
        new RunEnded(1, "done", false));
    RunRecord record = record();

    RunRecord.Session session = record.session().orElseThrow();
    assertThat(session.run()).isEqualTo("ana");
    assertThat(session.environment()).containsEntry("Java", "17");
    assertThat(session.configText()).isEqualTo("name: ana");
    assertThat(session.end().reason()).isEqualTo("done");
    RunRecord.Step last = record.lastStep().orElseThrow();
    assertThat(last.scalars()).containsEntry("loss/g/total", 5.5);
    assertThat(last.progress().secondsToGo()).isEqualTo(6);
    assertThat(last.progress().limit()).isEqualTo("10 steps");
    RunRecord.Validation validation = record.validations().get(0);
    assertThat(validation.scalars()).containsEntry("val/mel_l1", 0.75);
    assertThat(validation.media().get(0))
        .isEqualTo(new RunRecord.Media("sample/ana/0", "samples/step-00000001_ana_0.wav", "Olá.", 8000, 800));
    assertThat(validation.media().get(1).file()).isEqualTo("media/step-00000001/all_attn.png");
    assertThat(record.checkpoints().get(0).directory()).isEqualTo("checkpoints/step-00000001");
    assertThat(record.remarks().get(0).text()).isEqualTo("Step 1 was \"odd\".");
    assertThat(record.step()).isEqualTo(1);
  }

  @Test
  void aMissingOrEmptyFileIsARecordOfNothing() throws IOException {
    assertThat(record().session()).isEmpty();
    Files.createFile(file());
    assertThat(record().step()).isZero();
    assertThat(record().lastStep()).isEmpty();
  }

  @Test
  void stepsBeyondTheOneARunWentBackToAreLeftOut() throws IOException {
    write(started(0), step(1, 1), step(2, 2), saved(2), step(3, 3), step(4, 4), validated(4));
    write(started(2), step(3, 30), saved(3));
    write(started(3), step(4, 40), step(5, 50), validated(5));
    RunRecord record = record();

    Series series = record.series().get("loss/g/total");
    assertThat(LongStream.range(0, series.size()).map(i -> series.step((int) i))).containsExactly(1L, 2L, 3L, 4L, 5L);
    assertThat(series.mean(2)).isEqualTo(30);
    assertThat(series.last()).isEqualTo(50);
    assertThat(record.validations()).extracting(RunRecord.Validation::step).containsExactly(5L);
    assertThat(record.checkpoints()).extracting(RunRecord.SavedCheckpoint::step).containsExactly(2L, 3L);
    assertThat(record.sessions()).hasSize(3);
    assertThat(record.sessions().get(0).end()).isNull();
  }

  @Test
  void aTornLastLineWaitsForItsRestAndALostOneIsCounted() throws IOException {
    write(started(0), step(1, 1), step(2, 2));
    byte[] whole = Files.readAllBytes(file());
    Files.write(file(), java.util.Arrays.copyOf(whole, whole.length - 9));
    RunRecord record = record();
    assertThat(record.lastStep().orElseThrow().step()).isEqualTo(1);
    assertThat(record.damagedLines()).isZero();

    Files.write(file(), java.util.Arrays.copyOfRange(whole, whole.length - 9, whole.length), StandardOpenOption.APPEND);
    record.refresh();
    assertThat(record.lastStep().orElseThrow().step()).isEqualTo(2);

    Files.write(file(), java.util.Arrays.copyOf(whole, whole.length - 9));
    write(started(1), step(2, 20));
    RunRecord after = record();
    assertThat(after.damagedLines()).isEqualTo(1);
    assertThat(after.lastStep().orElseThrow().scalars()).containsEntry("loss/g/total", 20.0);
  }

  @Test
  void linesOfOtherHandsAreSurvived() throws IOException {
    write(started(0), step(1, 1));
    Files.write(
        file(),
        List.of(
            "", "null", "[]", "{\"kind\":\"step\"}", "{\"kind\":\"dance\",\"step\":3}",
            "{\"kind\":\"step\",\"step\":2,\"time\":\"yesterday\",\"scalars\":{\"a\":\"NaN\",\"b\":\"-Infinity\",\"c\":[]}}",
            "{\"kind\":\"validation\",\"step\":2}", new String(new byte[] {0, 0}, StandardCharsets.UTF_8)),
        StandardOpenOption.APPEND);
    RunRecord record = record();
    assertThat(record.damagedLines()).isEqualTo(4);
    assertThat(record.lastStep().orElseThrow().scalars().get("a")).isNaN();
    assertThat(record.lastStep().orElseThrow().scalars().get("b")).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(record.lastStep().orElseThrow().time()).isNull();
    assertThat(record.validations()).hasSize(1);
  }

  @Test
  void readingOnCostsOnlyWhatIsNew() throws IOException {
    try (MetricsJournal journal = new MetricsJournal(file(), 1)) {
      journal.on(started(0));
      RunRecord record = record();
      for (int i = 1; i <= 50; i++) {
        journal.on(step(i, i));
        record.refresh();
        assertThat(record.lastStep().orElseThrow().step()).isEqualTo(i);
      }
      assertThat(record.series().get("loss/g/total").size()).isEqualTo(50);
    }
  }

  @Test
  void aLongCurveKeepsItsLeastAndGreatest() {
    Series series = new Series(10);
    for (int i = 1; i <= 1000; i++) {
      series.add(i, i == 500 ? 9000 : i % 7 == 0 ? Double.NaN : 1);
    }
    assertThat(series.size()).isLessThanOrEqualTo(10);
    double highest = 0;
    for (int i = 0; i < series.size(); i++) {
      highest = Math.max(highest, series.high(i));
      assertThat(series.low(i)).isEqualTo(1);
      assertThat(i == 0 || series.step(i) > series.step(i - 1)).isTrue();
    }
    assertThat(highest).isEqualTo(9000);
    assertThat(series.step(series.size() - 1)).isEqualTo(1000);
    series.cutAfter(0);
    assertThat(series.size()).isZero();
    assertThat(series.last()).isNaN();
  }

  @Test
  void missedStepsAreOnRecord() throws IOException {
    write(started(0), step(1, 1));
    try (MetricsJournal journal = new MetricsJournal(file(), 1)) {
      journal.missed(12);
    }
    assertThat(record().missedSteps()).isEqualTo(12);
  }

  private RunRecord record() throws IOException {
    return RunRecord.read(file());
  }

  private Path file() {
    return root.resolve("metrics.jsonl");
  }

  private void write(RunEvent... events) throws IOException {
    try (MetricsJournal journal = new MetricsJournal(file(), 1)) {
      for (RunEvent event : events) {
        journal.on(event);
      }
    }
  }

  private static RunStarted started(long step) {
    return new RunStarted("ana", step, step > 0, "cpu", "name: ana");
  }

  private static StepCompleted step(long step, double loss) {
    return new StepCompleted(step, 0, Map.of("loss/g/total", loss), new Progress(1, 2, 3, 4, 0.5, 6, "10 steps"));
  }

  private CheckpointSaved saved(long step) {
    return new CheckpointSaved(step, root.resolve("checkpoints/step-" + step), 1);
  }

  private static ValidationCompleted validated(long step) {
    return new ValidationCompleted(step, Map.of("val/mel_l1", 1.0), List.of(), List.of(), 1);
  }
}
