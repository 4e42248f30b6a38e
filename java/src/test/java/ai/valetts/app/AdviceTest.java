package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.engine.StepParams;
import ai.valetts.report.ReportSchema;
import ai.valetts.report.llm.FakeOpenRouter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Reports of real runs with a fake engine and a local server in OpenRouter's place. */
@Timeout(120)
class AdviceTest {
  private static final String KEY = "sk-or-v1-planted0123456789abcdef";

  @TempDir private Path root;
  private final FakeEngine engine = new FakeEngine();
  private final List<String> notices = Collections.synchronizedList(new ArrayList<>());
  private FakeOpenRouter server;
  private ValeTts valetts;
  private Path run;

  @BeforeEach
  void open() throws IOException {
    server = new FakeOpenRouter();
    valetts = new ValeTts(root.resolve("cache"), notices::add, config -> List.of(), () -> engine, false);
    run = root.resolve("runs/toy");
    ToySpeech.folder(root.resolve("ana"), 12, 1);
    Files.writeString(root.resolve("key"), KEY + "\n");
  }

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  private void train(String... overrides) {
    List<ConfigOverride> all = new ArrayList<>();
    for (String override :
        List.of(
            "data.sources=[{folder: " + root.resolve("ana") + ", speaker: ana}]",
            "text.frontEnd=characters",
            "validation.everySteps=5",
            "validation.sentences=[bad dog]",
            "checkpoint.everySteps=5",
            "monitor.logEverySteps=1",
            "training.maxSteps=12")) {
      all.add(ConfigOverride.parse(override));
    }
    Arrays.stream(overrides).map(ConfigOverride::parse).forEach(all::add);
    valetts.train(new TrainRequest(ConfigLoader.bundled("tiny", all), run, List.of()));
  }

  private void trainWithModel(double low, double high) {
    ObjectNode report = FakeOpenRouter.report();
    ((ObjectNode) report.path("suggestions").path(0)).put("low", low).put("high", high);
    for (int i = 0; i < 10; i++) {
      server.then(FakeOpenRouter.success(report.toString()));
    }
    train(
        "report.llm.baseUrl=" + server.url(),
        "report.llm.keyFile=" + root.resolve("key"),
        "report.llm.ask=[openai/gpt-5-mini]",
        "report.llm.atValidation=true",
        "report.llm.maxCallsPerHour=100",
        "report.apply=true");
  }

  private void resume(int steps) {
    valetts.resume(new ResumeRequest(run, List.of(
        ConfigOverride.parse("training.maxSteps=" + steps), ConfigOverride.parse("report.llm=null"))));
  }

  private List<Double> ratesOfTheLastSession() {
    return engine.sessions.get(engine.sessions.size() - 1).params.stream().map(StepParams::generatorLearningRate).toList();
  }

  private JsonNode json(String name) throws IOException {
    return new ObjectMapper().readTree(run.resolve(name).toFile());
  }

  @Test
  void aRunLeavesReportsOfItsOwnAndAsksNobody() throws IOException {
    train("report.llm.baseUrl=" + server.url(), "report.llm.keyFile=" + root.resolve("key"));
    JsonNode report = json("reports/report-00000012.json");
    assertThat(new ReportSchema().problems(report.toString())).isEmpty();
    assertThat(report.path("source").asText()).isEqualTo("rules");
    assertThat(report.path("language").asText()).isEqualTo("pt");
    assertThat(run.resolve("reports/report-00000012.md")).content().contains("# Relatório do treino");
    assertThat(server.seen).isEmpty();
    assertThat(run.resolve("reports/spending.json")).doesNotExist();
  }

  @Test
  void advisesInTheLanguageThatWasAskedFor() throws IOException {
    train();
    AdviseResult result = new Advice(notices::add, Map.of()).run(new AdviseRequest(run, "es", true));
    assertThat(result.source()).isEqualTo("rules");
    assertThat(result.markdown()).contains("Informe del entrenamiento", "como se pidió");
    AdviseResult without = new Advice(notices::add, Map.of()).run(new AdviseRequest(run, "en", false));
    assertThat(without.markdown()).contains("no key in OPENROUTER_API_KEY");
    assertThat(json("reports/report-00000012.json").path("language").asText()).isEqualTo("en");
    assertThatThrownBy(() -> valetts.advise(new AdviseRequest(root.resolve("none"), null, true)))
        .isInstanceOf(RequestException.class).hasMessageContaining("There is no run");
  }

  @Test
  void asksAModelWithTheKeyOfTheEnvironmentAndKeepsItToItself() throws IOException {
    train("report.llm.baseUrl=" + server.url());
    ObjectNode echo = FakeOpenRouter.report();
    echo.put("summary", "key " + KEY);
    server.then(FakeOpenRouter.success(echo.toString()));
    AdviseResult result =
        new Advice(notices::add, Map.of("OPENROUTER_API_KEY", KEY)).run(new AdviseRequest(run, null, false));
    assertThat(result.source()).isEqualTo("anthropic/claude-sonnet-4.6");
    assertThat(result.markdown()).contains("key (key)");
    assertThat(server.completions().get(0).head()).contains("Bearer " + KEY);
    assertThat(server.completions().get(0).body().toString()).doesNotContain("ana", root.toString(), "bad dog");
    assertNoKey();
  }

  @Test
  void aSmallChangeIsMadeAndOutlivesTheProcess() throws IOException {
    trainWithModel(1.6e-4, 1.6e-4);
    assertThat(json("reports/report-00000012.json").path("source").asText()).isEqualTo("openai/gpt-5-mini");
    ApproveResult made = valetts.approve(new ApproveRequest(run, null, false));
    assertThat(made.changes()).hasSize(1).first().asString().contains("c1  made", "2.0E-4 -> 1.6E-4", "openai/gpt-5-mini");
    resume(15);
    assertThat(ratesOfTheLastSession()).hasSize(3).allMatch(rate -> Math.abs(rate - 1.6e-4) < 1e-6);
    assertThat(Files.readString(run.resolve("control.jsonl"))).contains("\"CHANGE\"", "optimizer.learningRate");

    valetts.approve(new ApproveRequest(run, "c1", true));
    assertThat(valetts.approve(new ApproveRequest(run, null, false)).changes()).first().asString()
        .contains("c1  made", "to be taken back, which the run has not read yet");
    resume(18);
    assertThat(ratesOfTheLastSession()).hasSize(3).allMatch(rate -> Math.abs(rate - 2e-4) < 1e-6);
    assertThatThrownBy(() -> valetts.approve(new ApproveRequest(run, "c1", true)))
        .isInstanceOf(RequestException.class).hasMessageContaining("reverted");
    assertNoKey();
  }

  @Test
  void aLargeChangeWaitsForAPerson() throws IOException {
    trainWithModel(1e-4, 1.2e-4);
    resume(15);
    assertThat(ratesOfTheLastSession()).allMatch(rate -> Math.abs(rate - 2e-4) < 1e-6);
    assertThat(valetts.approve(new ApproveRequest(run, "c1", false)).decision()).contains("Left for the run");
    assertThat(run.resolve("inbox/approve-c1")).exists();
    assertThat(valetts.approve(new ApproveRequest(run, null, false)).changes()).first().asString()
        .contains("c1  proposed", "approved, which the run has not read yet");
    assertThat(valetts.approve(new ApproveRequest(run, "c1", false)).decision()).startsWith("It waits already for the run");
    resume(18);
    assertThat(ratesOfTheLastSession()).hasSize(3)
        .allSatisfy(rate -> assertThat(rate).isCloseTo(Math.sqrt(1.2e-8), within(1e-6)));
    assertThat(run.resolve("inbox/approve-c1")).doesNotExist();
    assertThat(valetts.approve(new ApproveRequest(run, null, false)).changes()).first().asString()
        .contains("c1  made").doesNotContain("not read yet");
    assertThatThrownBy(() -> valetts.approve(new ApproveRequest(run, "c7", false)))
        .isInstanceOf(RequestException.class).hasMessageContaining("no change \"c7\"")
        .satisfies(failure -> assertThat(ExitCode.of(failure)).isEqualTo(ExitCode.USAGE));
  }

  private void assertNoKey() throws IOException {
    assertThat(notices.toString()).doesNotContain(KEY);
    try (Stream<Path> files = Files.walk(root)) {
      List<Path> all = files.filter(Files::isRegularFile).filter(file -> !file.endsWith("key")).toList();
      assertThat(all).hasSizeGreaterThan(20);
      for (Path file : all) {
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1).contains(KEY)).as(file.toString()).isFalse();
      }
    }
  }
}
