package ai.valetts.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SummaryReaderTest {
  @TempDir Path folder;

  private RunSummary of(String... lines) throws IOException {
    Path file = folder.resolve("metrics.jsonl");
    Files.writeString(file, String.join("\n", lines));
    return SummaryReader.summarize(file, Map.of());
  }

  @Test
  void doesNotGrowWithTheRun() throws IOException {
    ObjectMapper json = new ObjectMapper();
    int shortRun = json.writeValueAsString(SimulatedRun.summary(written(new SimulatedRun().steps(20_000, 100, 1000)))).length();
    int longRun = json.writeValueAsString(SimulatedRun.summary(written(new SimulatedRun().steps(2_000_000, 100, 1000)))).length();
    assertThat(longRun).isLessThan(shortRun + shortRun / 10).isLessThan(40_000);
  }

  private Path written(SimulatedRun run) throws IOException {
    run.write(folder);
    return folder;
  }

  @Test
  void readsAnEmptyRecord() throws IOException {
    RunSummary run = of("");
    assertThat(run.step()).isZero();
    assertThat(run.measures()).isEmpty();
    assertThat(RuleBasedReport.of(run, new ReportTexts("en"), "2026-01-01T00:00:00Z").state()).isEqualTo("Too early to judge");
  }

  @Test
  void describesOneValue() throws IOException {
    RunSummary run = of("{\"kind\":\"step\",\"step\":1,\"epoch\":0,\"scalars\":{\"loss/g/mel_l1\":1.5}}");
    Trend trend = run.measures().get("loss/g/mel_l1").recent();
    assertThat(trend).isEqualTo(new Trend(1, 1, 1, 1.5, 1.5, 1.5, 1.5, 1.5, 0, 0));
  }

  @Test
  void passesOverTornAndStrangeLines() throws IOException {
    RunSummary run = of(
        "{\"kind\":\"step\",\"step\":10,\"epoch\":0,\"scalars\":{\"loss/g/kl\":2.0}}",
        "{\"kind\":\"step\",\"step\":11,\"epo",
        "[]",
        "{\"kind\":\"dream\",\"step\":12}",
        "\u0000\u0000\u0000",
        "{\"kind\":\"step\",\"step\":20,\"epoch\":0,\"scalars\":{\"loss/g/kl\":\"NaN\",\"loss/g/dur\":null}}");
    assertThat(run.unreadableLines()).isEqualTo(3);
    assertThat(run.step()).isEqualTo(20);
    assertThat(run.measures().get("loss/g/kl").recent().points()).isEqualTo(1);
    assertThat(run.measures()).doesNotContainKey("loss/g/dur");
  }

  @Test
  void forgetsWhatAResumeUndid() throws IOException {
    RunSummary run = of(
        "{\"kind\":\"started\",\"step\":0,\"resumed\":false,\"device\":\"cpu\"}",
        "{\"kind\":\"step\",\"step\":10,\"epoch\":0,\"scalars\":{\"loss/g/kl\":3.0,\"perf/it_s\":9}}",
        "{\"kind\":\"step\",\"step\":20,\"epoch\":0,\"scalars\":{\"loss/g/kl\":99.0,\"perf/it_s\":9}}",
        "{\"kind\":\"started\",\"step\":15,\"resumed\":true,\"device\":\"cpu\"}",
        "{\"kind\":\"step\",\"step\":20,\"epoch\":0,\"scalars\":{\"loss/g/kl\":2.0,\"perf/it_s\":1}}");
    assertThat(run.starts()).isEqualTo(2);
    assertThat(run.measures().get("loss/g/kl").recent().max()).isEqualTo(3);
    assertThat(run.measures().get("perf/it_s").recent().max()).isEqualTo(1);
  }

  @Test
  void namesTheStepOfTheBestValidationHoweverManyThereAre() throws IOException {
    String[] lines = new String[500];
    for (int i = 0; i < lines.length; i++) {
      double value = i == 333 ? 0.5 : 1.0 + 0.001 * i;
      lines[i] = "{\"kind\":\"validation\",\"step\":%d,\"scalars\":{\"val/mel_l1\":%s}}".formatted(10 * (i + 1), value);
    }
    Measure held = of(lines).validation().get("val/mel_l1");
    assertThat(held.bestStep()).isEqualTo(3340);
    assertThat(held.best()).isEqualTo(0.5);
  }

  @Test
  void holdsNoNamesTextsOrPaths() {
    assertThat(SummaryReader.plain("Step 7 was skipped: the loss is NaN. Utterances: ana_0001, bia_2."))
        .isEqualTo("Step 7 was skipped: the loss is NaN.");
    assertThat(SummaryReader.plain("/home/ana/runs/lj/checkpoints/step-1 is damaged, C:\\data\\x and data/ana.wav too"))
        .isEqualTo("(path) is damaged, (path) and (path) too");
    assertThat(SummaryReader.plain("the text \"Boa tarde\" has no sounds")).isEqualTo("the text \"...\" has no sounds");
    assertThat(SummaryReader.plain("x".repeat(1000))).hasSizeLessThan(260);
  }

  @Test
  void sendsNoSettingThatNamesSomething() throws IOException {
    new SimulatedRun().set("name=segredo").set("validation.sentences=[Uma frase secreta]")
        .set("data.sources=[{folder: /segredo, speaker: Maria}]").write(folder);
    String text = new ObjectMapper().writeValueAsString(SimulatedRun.summary(folder));
    assertThat(text).doesNotContain("segredo", "secreta", "Maria").contains("optimizer.learningRate");
  }

  @Test
  void namesWhatIsMissing() {
    assertThatThrownBy(() -> SimulatedRun.summary(folder)).isInstanceOf(IOException.class).hasMessageContaining("config.yaml");
  }
}
