package ai.valetts.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RulesTest {
  @TempDir Path folder;

  /** Each disease with a run that has it and nothing else. */
  static Map<String, SimulatedRun> diseases() {
    Map<String, SimulatedRun> all = new LinkedHashMap<>();
    SimulatedRun run = new SimulatedRun();
    all.put("non-finite", run.skipping(step -> step > 15_000 && step % 97 == 0));
    run = new SimulatedRun().set("training.precision=fp16");
    all.put("loss-scale-collapse", run.curve("amp/loss_scale", step -> Math.max(0.0625, 65536 * Math.pow(0.5, step / 900))));
    SimulatedRun diverging = new SimulatedRun();
    all.put("diverging", diverging.curve("loss/g/mel_l1",
        step -> diverging.noisy(0.05, step < 12_000 ? 0.6 + 0.6 * Math.exp(-step / 3000.0) : 0.6 + (step - 12_000) / 8000.0)));
    SimulatedRun exploding = new SimulatedRun();
    all.put("kl-exploding", exploding.curve("loss/g/kl",
        step -> exploding.noisy(0.1, step < 14_000 ? 1.8 : 1.8 * Math.exp((step - 14_000) / 1500.0))));
    SimulatedRun constant = new SimulatedRun();
    all.put("constant-spectrum", constant
        .held("val/mel_l1", step -> constant.noisy(0.004, 1.57))
        .held("val/mel_ratio", step -> constant.noisy(0.004, 1.01)));
    SimulatedRun dead = new SimulatedRun();
    all.put("discriminator-dead", dead
        .curve("loss/d/total", step -> dead.noisy(0.0005, 3))
        .curve("loss/g/gen", step -> dead.noisy(0.001, 1.5))
        .curve("grad_norm_d", step -> dead.noisy(0.2, 1e-4)));
    SimulatedRun gradients = new SimulatedRun();
    all.put("gradient-explosion", gradients.curve("grad_norm_g",
        step -> gradients.noisy(0.3, step < 12_000 ? 60 : step % 300 == 0 ? 20_000 : 900)));
    SimulatedRun overfitting = new SimulatedRun();
    all.put("overfitting", overfitting
        .held("val/mel_l1", step -> overfitting.noisy(0.003, 0.62 + 0.5 * Math.exp(-step / 2000.0) + step * 8e-6))
        .held("val/mel_ratio", step -> overfitting.noisy(0.003, 0.4 + 0.3 * Math.exp(-step / 2000.0) + step * 5e-6)));
    SimulatedRun critic = new SimulatedRun();
    all.put("discriminator-winning", critic
        .curve("loss/d/total", step -> critic.noisy(0.2, 0.12 + 2 * Math.exp(-step / 500.0)))
        .curve("loss/g/gen", step -> critic.noisy(0.05, 5.4)));
    SimulatedRun speaker = new SimulatedRun();
    all.put("generator-winning", speaker
        .curve("loss/d/total", step -> speaker.noisy(0.05, 4.4))
        .curve("loss/g/gen", step -> speaker.noisy(0.1, 0.4)));
    SimulatedRun duration = new SimulatedRun();
    all.put("duration-stuck", duration.curve("loss/g/dur", step -> duration.noisy(0.01, 2.5)));
    SimulatedRun collapse = new SimulatedRun();
    all.put("kl-collapse", collapse.curve("loss/g/kl", step -> collapse.noisy(0.2, 0.004 + 9 * Math.exp(-step / 200.0))));
    SimulatedRun tooHigh = new SimulatedRun();
    all.put("learning-rate-too-high", tooHigh.set("optimizer.learningRate=2e-3")
        .curve("learning_rate", step -> 2e-3)
        .curve("loss/g/mel_l1", step -> tooHigh.noisy(0.25, 0.95)));
    SimulatedRun gone = new SimulatedRun();
    all.put("learning-rate-gone", gone.curve("learning_rate", step -> 2e-4 * Math.pow(0.9, step / 350)));
    SimulatedRun noisy = new SimulatedRun();
    all.put("batch-too-small", noisy.set("data.batchSize=2").curve("loss/g/mel_l1",
        step -> noisy.noisy(0.3, 0.5 + 0.8 * Math.exp(-step / 6000.0))));
    SimulatedRun waiting = new SimulatedRun();
    all.put("loader-bound", waiting
        .curve("perf/data_wait_ms", step -> waiting.noisy(0.4, 190))
        .curve("gpu/0/utilization_percent", step -> waiting.noisy(0.2, 38)));
    SimulatedRun slow = new SimulatedRun();
    all.put("slowing-down", slow.curve("perf/it_s", step -> slow.noisy(0.03, step < 14_000 ? 3.1 : 1.2)));
    SimulatedRun plateau = new SimulatedRun();
    all.put("plateau", plateau
        .curve("loss/g/mel_l1", step -> plateau.noisy(0.01, 0.85 + 0.5 * Math.exp(-step / 900.0)))
        .held("val/mel_l1", step -> plateau.noisy(0.001, 1.05 + 0.4 * Math.exp(-step / 900.0)))
        .held("val/mel_ratio", step -> plateau.noisy(0.001, 0.68 + 0.26 * Math.exp(-step / 900.0))));
    all.put("few-batches-per-epoch", new SimulatedRun().stepsPerEpoch(3));
    SimulatedRun idle = new SimulatedRun();
    all.put("low-gpu-utilisation", idle.curve("gpu/0/utilization_percent", step -> idle.noisy(0.1, 31)));
    SimulatedRun unstable = new SimulatedRun();
    all.put("unstable-throughput", unstable.curve("perf/it_s", step -> step / 100 % 3 == 0 ? 0.5 : 3.1));
    return all;
  }

  static Stream<Arguments> diseasedRuns() {
    return diseases().entrySet().stream().map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("diseasedRuns")
  void findsTheDiseaseAndNoOther(String disease, SimulatedRun run) throws IOException {
    run.write(folder);
    List<String> found =
        Rules.findings(SimulatedRun.summary(folder)).stream().map(finding -> finding.rule().id()).toList();
    assertThat(found).containsExactly(disease);
  }

  @Test
  void hasARunForEveryRule() {
    assertThat(diseases().keySet()).containsExactlyInAnyOrderElementsOf(Rules.ALL.stream().map(Rule::id).toList());
    assertThat(Rules.ALL.size()).isGreaterThanOrEqualTo(12);
  }

  static Stream<Arguments> healthyRuns() {
    SimulatedRun cpu = new SimulatedRun();
    cpu.steps(400, 10, 100).stepsPerEpoch(40).curve("amp/loss_scale", step -> 1);
    SimulatedRun fineTuned = new SimulatedRun();
    fineTuned
        .curve("loss/g/mel_l1", step -> fineTuned.noisy(0.04, 0.42 + 0.06 * Math.exp(-step / 4000.0)))
        .curve("loss/g/dur", step -> fineTuned.noisy(0.04, 1.31))
        .curve("loss/g/kl", step -> fineTuned.noisy(0.06, 1.7))
        .held("val/mel_l1", step -> fineTuned.noisy(0.004, 0.52))
        .held("val/mel_ratio", step -> fineTuned.noisy(0.004, 0.34));
    SimulatedRun everyStep = new SimulatedRun();
    everyStep.steps(24, 1, 1000).curve(
        "loss/g/mel_l1", step -> step == 20 ? 1.6 : everyStep.noisy(0.08, 2.1 + 0.02 * step));
    return Stream.of(
        Arguments.of("usual", new SimulatedRun()),
        Arguments.of("logged at every step, with one lucky value", everyStep),
        Arguments.of("just begun", new SimulatedRun().steps(30, 10, 1000)),
        Arguments.of("short, on a CPU", cpu),
        Arguments.of("long and converged", new SimulatedRun().steps(600_000, 100, 2000)),
        Arguments.of("resumed on another machine", new SimulatedRun().killedAt(12_345)),
        Arguments.of("without held-out clips", new SimulatedRun().steps(20_000, 100, 1_000_000)),
        Arguments.of("one step skipped now and then", new SimulatedRun().skipping(step -> step % 4_999 == 0)),
        Arguments.of("fine-tuned", fineTuned));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("healthyRuns")
  void findsNothingInAHealthyRun(String name, SimulatedRun run) throws IOException {
    run.write(folder);
    assertThat(Rules.findings(SimulatedRun.summary(folder))).isEmpty();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("diseasedRuns")
  void putsEveryDiseaseIntoWordsInEachLanguage(String disease, SimulatedRun run) throws IOException {
    run.write(folder);
    RunSummary summary = SimulatedRun.summary(folder);
    ReportFiles files = new ReportFiles(folder.resolve("reports"), new ReportSchema());
    for (String language : List.of("pt", "en", "es")) {
      Report report = RuleBasedReport.of(summary, new ReportTexts(language), "2026-01-01T00:00:00Z");
      assertThat(report.problems()).hasSize(1);
      assertThat(report.problems().get(0).evidence()).containsPattern("\\d").doesNotContain("{", "NaN");
      assertThat(report.losses()).hasSizeGreaterThanOrEqualTo(6);
      assertThat(report.suggestions()).allMatch(suggestion -> suggestion.low() < suggestion.high());
      files.write(report);
      assertThat(files.newest()).contains(report);
    }
  }

  @Test
  void saysWhatTheRunCostsAsFarAsItIsKnown() throws IOException {
    new SimulatedRun()
        .curve("cost/session_hours", step -> 2 + step / 10_000.0)
        .curve("cost/session_hours_left", step -> 10 - step / 10_000.0)
        .curve("cost/usd", step -> step / 8_000.0)
        .curve("cost/usd_at_end", step -> 7.5)
        .write(folder);
    assertThat(summary("en"))
        .endsWith("So far the machine has cost 2.5 USD. At the end of the run it will be 7.5 USD."
            + " The session is 4 h old and has 8 h left.");
    assertThat(summary("pt")).contains("custou 2,5 USD", "serão 7,5 USD", "restam 8 h").doesNotContain("unidades");
    new SimulatedRun().curve("cost/units", step -> step / 4_000.0).write(folder);
    assertThat(summary("es")).contains("5 unidades de cómputo").doesNotContain("USD", "sesión");
  }

  private String summary(String language) throws IOException {
    return RuleBasedReport.of(SimulatedRun.summary(folder), new ReportTexts(language), "2026-01-01T00:00:00Z").summary();
  }

  @Test
  void isTheSameInEveryLanguage() {
    Pattern place = Pattern.compile("\\{\\w+}");
    ReportTexts pt = new ReportTexts("pt");
    for (String language : List.of("en", "es")) {
      ReportTexts other = new ReportTexts(language);
      assertThat(other.keys()).isEqualTo(pt.keys());
      for (String key : pt.keys()) {
        List<String> places = new ArrayList<>(place.matcher(pt.get(key)).results().map(r -> r.group()).sorted().toList());
        assertThat(place.matcher(other.get(key)).results().map(r -> r.group()).sorted().toList())
            .as(language + " " + key)
            .isEqualTo(places);
      }
    }
  }

  @Test
  void documentsEveryRule() throws IOException {
    String text = Files.readString(Path.of(System.getProperty("valetts.checkout", "..")).resolve("docs/reports.md"));
    List<String> rows =
        Pattern.compile("(?m)^\\| `([a-z-]+)` \\|").matcher(text).results().map(row -> row.group(1)).toList();
    assertThat(rows).containsExactlyElementsOf(Rules.ALL.stream().map(Rule::id).toList());
  }
}
