package ai.valetts.report.llm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ai.valetts.config.ReportConfig;
import ai.valetts.report.Report;
import ai.valetts.report.ReportFiles;
import ai.valetts.report.ReportSchema;
import ai.valetts.report.ReportSource;
import ai.valetts.report.ReportUnavailableException;
import ai.valetts.report.ReportUnavailableException.Reason;
import ai.valetts.report.RunReports;
import ai.valetts.report.RunSummary;
import ai.valetts.report.SimulatedRun;
import ai.valetts.report.SummaryReader;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpenRouterReportsTest {
  private static final String KEY = "sk-or-v1-planted0123456789abcdef";
  private static final String CLAUDE = "anthropic/claude-sonnet-4.6";
  private static final String GPT = "openai/gpt-5-mini";

  @TempDir Path folder;

  private final List<String> notices = new ArrayList<>();
  private final List<Duration> waits = new ArrayList<>();
  private final VirtualClock clock = new VirtualClock();
  private FakeOpenRouter server;
  private RunSummary run;

  /** Moves only when something sleeps. */
  private static final class VirtualClock extends Clock {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  @BeforeEach
  void open() throws IOException {
    server = new FakeOpenRouter();
    new SimulatedRun().steps(3000, 100, 1000).write(folder);
    run = SummaryReader.summarize(folder.resolve("metrics.jsonl"), folder.resolve("config.yaml"), folder.resolve("changes.jsonl"));
  }

  @AfterEach
  void close() throws IOException {
    server.close();
  }

  private static ReportConfig config(String url, double maxUsd, int callsPerHour, long tokens, double whole, double idle) {
    ReportConfig.Llm llm = new ReportConfig.Llm(
        List.of(CLAUDE, GPT), url, null, null, null, false, maxUsd, 0.1, callsPerHour, tokens, 4000, whole, idle);
    return new ReportConfig("pt", llm, false, ReportConfig.DEFAULT.changes());
  }

  private OpenRouterReports reports(ReportConfig config) {
    return new OpenRouterReports(
        config, new Secret(KEY), folder.resolve("reports/spending.json"), notices::add, clock,
        wait -> {
          waits.add(wait);
          clock.now = clock.now.plus(wait);
        },
        () -> 0.5);
  }

  private OpenRouterReports reports() {
    return reports(config(server.url(), 1, 100, 1_000_000, 30, 20));
  }

  private Report ask(OpenRouterReports reports) throws Exception {
    return reports.report(run, "pt", "2026-01-01T00:00:00Z");
  }

  private ReportUnavailableException refused(OpenRouterReports reports) {
    ReportUnavailableException e =
        catchThrowableOfType(ReportUnavailableException.class, () -> ask(reports));
    assertThat(e).isNotNull();
    return e;
  }

  private Spending.Account account() throws IOException {
    return FakeOpenRouter.JSON.readValue(
        Files.readString(folder.resolve("reports/spending.json")), Spending.Account.class);
  }

  private static FakeOpenRouter.Reply good() {
    return FakeOpenRouter.success(FakeOpenRouter.report().toString());
  }

  @Test
  void takesTheFirstModelsReport() throws Exception {
    server.then(good());
    Report report = ask(reports());
    assertThat(report.source()).isEqualTo(CLAUDE);
    assertThat(report.step()).isEqualTo(3000);
    assertThat(report.state()).isEqualTo("Tudo em ordem");
    assertThat(report.problems()).extracting(Report.Problem::id).containsExactly("bad", "slow");
    assertThat(report.suggestions()).extracting(Report.Suggestion::key).containsExactly("optimizer.learningRate");
    assertThat(report.suggestions().get(0).current()).isEqualTo(2e-4);
    assertThat(account().usd()).isEqualTo(0.0123);
    assertThat(account().tokens()).isEqualTo(1500);
    new ReportFiles(folder.resolve("reports"), new ReportSchema()).write(report);
  }

  @Test
  void asksAsDocumented() throws Exception {
    server.then(good());
    ask(reports());
    FakeOpenRouter.Seen request = server.completions().get(0);
    assertThat(request.method()).isEqualTo("POST");
    assertThat(request.path()).isEqualTo("/api/v1/chat/completions");
    assertThat(request.head()).contains("Authorization: Bearer " + KEY, "Content-Type: application/json");
    JsonNode body = request.body();
    assertThat(body.path("model").asText()).isEqualTo(CLAUDE);
    assertThat(body.path("max_tokens").asInt()).isEqualTo(4000);
    assertThat(body.path("response_format").path("type").asText()).isEqualTo("json_schema");
    JsonNode format = body.path("response_format").path("json_schema");
    assertThat(format.path("strict").asBoolean()).isTrue();
    assertThat(format.path("schema").path("required").toString()).contains("losses").doesNotContain("createdAt");
    assertThat(format.path("schema").path("properties").path("problems").toString())
        .contains("\"title\"").doesNotContain("maxLength", "pattern", "minimum");
    assertThat(body.path("provider").path("require_parameters").asBoolean()).isTrue();
    assertThat(body.toString()).doesNotContain(KEY, folder.toString(), "birch canoe").hasSizeLessThan(30_000);
    assertThat(body.path("messages").path(0).path("content").asText()).contains("português");
    assertThat(body.path("messages").path(1).path("content").asText()).contains("loss/g/mel_l1", "optimizer.melWeight");
    FakeOpenRouter.Seen list = server.seen.get(0);
    assertThat(list.path()).isEqualTo("/api/v1/models");
    assertThat(list.head()).doesNotContain(KEY);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 403, 404})
  void goesToTheNextModelWhenOneIsRefused(int status) throws Exception {
    server.then(FakeOpenRouter.error(status, "", "not this one")).then(good());
    assertThat(ask(reports()).source()).isEqualTo(GPT);
    assertThat(waits).isEmpty();
    assertThat(account().usd()).isEqualTo(0.0123);
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 402})
  void endsAtAWrongKeyAndAnEmptyAccount(int status) throws Exception {
    server.then(FakeOpenRouter.error(status, "", "no")).then(good());
    ReportUnavailableException e = refused(reports());
    assertThat(e.reason()).isEqualTo(Reason.FAILED);
    assertThat(e).hasMessageContaining("error " + status);
    assertThat(server.completions()).hasSize(1);
    assertThat(account().usd()).isZero();
  }

  @Test
  void waitsForCreditWhereItIsTold() throws Exception {
    server.then(FakeOpenRouter.error(402, "Retry-After: 4\r\n", "in flight budget")).then(good());
    assertThat(ask(reports()).source()).isEqualTo(CLAUDE);
    assertThat(waits).containsExactly(Duration.ofSeconds(4));
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 503})
  void waitsAsLongAsItIsTold(int status) throws Exception {
    server.then(FakeOpenRouter.error(status, "Retry-After: 17\r\n", "slow down")).then(good());
    assertThat(ask(reports()).source()).isEqualTo(CLAUDE);
    assertThat(waits).containsExactly(Duration.ofSeconds(17));
  }

  @Test
  void waitsUntilADate() throws Exception {
    server.then(FakeOpenRouter.error(429, "Retry-After: Thu, 01 Jan 2026 00:00:42 GMT\r\n", "slow down")).then(good());
    ask(reports());
    assertThat(waits).containsExactly(Duration.ofSeconds(42));
  }

  @Test
  void doesNotWaitForHours() throws Exception {
    server.then(FakeOpenRouter.error(429, "Retry-After: 7200\r\n", "tomorrow")).then(good());
    assertThat(ask(reports()).source()).isEqualTo(GPT);
    assertThat(waits).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 429, 500, 502, 503, 529})
  void triesAgainWithGrowingWaitsThenAnotherModel(int status) throws Exception {
    for (int i = 0; i < 3; i++) {
      server.then(FakeOpenRouter.error(status, "", "down"));
    }
    server.then(good());
    assertThat(ask(reports()).source()).isEqualTo(GPT);
    assertThat(waits).containsExactly(Duration.ofMillis(1500), Duration.ofMillis(3000));
    assertThat(server.completions()).hasSize(4);
  }

  @Test
  void understandsAnErrorInsideAGoodAnswer() throws Exception {
    server.then(FakeOpenRouter.body(200, "{\"error\":{\"code\":502,\"message\":\"upstream\"}}")).then(good());
    assertThat(ask(reports()).source()).isEqualTo(CLAUDE);
    assertThat(waits).hasSize(1);
  }

  @Test
  void understandsAnErrorInsideAChoice() throws Exception {
    server
        .then(FakeOpenRouter.body(200,
            "{\"choices\":[{\"finish_reason\":\"error\",\"error\":{\"code\":403,\"message\":\"moderated\"}}]}"))
        .then(good());
    assertThat(ask(reports()).source()).isEqualTo(GPT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "<html>busy</html>", "[]", "{}", "{\"choices\":[]}", "null"})
  void triesAgainAfterABodyThatIsNoAnswer(String body) throws Exception {
    server.then(FakeOpenRouter.body(200, body)).then(good());
    assertThat(ask(reports()).source()).isEqualTo(CLAUDE);
    assertThat(account().usd()).as("the first call may have been billed").isGreaterThan(0.0123 + 0.01);
  }

  @Test
  void letsAModelMendAnAnswerThatIsNoJson() throws Exception {
    server.then(FakeOpenRouter.success("Claro! Aqui está: {\"state\":")).then(good());
    assertThat(ask(reports()).source()).isEqualTo(CLAUDE);
    JsonNode messages = server.completions().get(1).body().path("messages");
    assertThat(messages).hasSize(4);
    assertThat(messages.path(2).path("role").asText()).isEqualTo("assistant");
  }

  @Test
  void goesOnWhenAModelCannotMendItsAnswer() throws Exception {
    server.then(FakeOpenRouter.success("no")).then(FakeOpenRouter.success("still no")).then(good());
    assertThat(ask(reports()).source()).isEqualTo(GPT);
  }

  @Test
  void takesJsonOutOfAFence() throws Exception {
    server.then(FakeOpenRouter.success("```json\n" + FakeOpenRouter.report() + "\n```"));
    assertThat(ask(reports()).source()).isEqualTo(CLAUDE);
  }

  @Test
  void goesToTheNextModelWhenTheSchemaIsBroken() throws Exception {
    ObjectNode broken = FakeOpenRouter.report();
    ((ObjectNode) broken.path("suggestions").path(0)).put("confidence", 7);
    server.then(FakeOpenRouter.success(broken.toString())).then(good());
    assertThat(ask(reports()).source()).isEqualTo(GPT);
  }

  @Test
  void goesToTheNextModelWhenTheAnswerIsCutOff() throws Exception {
    server
        .then((socket, request) -> FakeOpenRouter.write(
            socket, 200, "", FakeOpenRouter.completion(request, "{\"state\":\"x", "length")))
        .then(good());
    assertThat(ask(reports()).source()).isEqualTo(GPT);
  }

  @Test
  void triesAgainAfterACutConnection() throws Exception {
    server.then(FakeOpenRouter.hangUp()).then(FakeOpenRouter.cutOff()).then(good());
    assertThat(ask(reports()).source()).isEqualTo(CLAUDE);
    assertThat(waits).hasSize(2);
  }

  @Test
  void givesUpOnASlowDrip() {
    for (int i = 0; i < 6; i++) {
      server.then(server.drip(5));
    }
    ReportUnavailableException e = refused(reports(config(server.url(), 1, 100, 1_000_000, 0.2, 20)));
    assertThat(e).hasMessageContaining("no whole answer within 200 ms");
  }

  @Test
  void givesUpOnAnAnswerThatStops() {
    for (int i = 0; i < 6; i++) {
      server.then(server.drip(60_000));
    }
    ReportUnavailableException e = refused(reports(config(server.url(), 1, 100, 1_000_000, 20, 0.1)));
    assertThat(e).hasMessageContaining("stopped for more than 100 ms");
  }

  @Test
  void refusesAnEndlessAnswer() {
    for (int i = 0; i < 6; i++) {
      server.then(FakeOpenRouter.body(200, "\"" + "x".repeat(2 << 20) + "\""));
    }
    assertThat(refused(reports())).hasMessageContaining("longer than 1048576 bytes");
  }

  @Test
  void doesNotFollowRedirects() throws Exception {
    try (FakeOpenRouter elsewhere = new FakeOpenRouter()) {
      for (int i = 0; i < 2; i++) {
        server.then((socket, request) -> FakeOpenRouter.write(
            socket, 307, "Location: " + elsewhere.url() + "/chat/completions\r\n", ""));
      }
      refused(reports());
      assertThat(elsewhere.seen).isEmpty();
    }
  }

  @Test
  void endsWhenTheRunIsOver() {
    server.then(server.drip(60_000));
    Thread.currentThread().interrupt();
    assertThat(catchThrowableOfType(InterruptedException.class, () -> ask(reports()))).isNotNull();
    assertThat(Thread.interrupted()).isFalse();
  }

  @Test
  void spendsNoMoreThanAllowed() throws Exception {
    for (int i = 0; i < 50; i++) {
      server.then(good());
    }
    ReportConfig config = config(server.url(), 0.06, 100, 1_000_000, 30, 20);
    int made = 0;
    ReportUnavailableException refusal = null;
    while (refusal == null) {
      try {
        // A new object each time: the account is in the run's folder.
        ask(reports(config));
        made++;
      } catch (ReportUnavailableException e) {
        refusal = e;
      }
    }
    assertThat(refusal.reason()).isEqualTo(Reason.NO_BUDGET);
    assertThat(made).isBetween(2, 4);
    assertThat(account().usd()).isLessThanOrEqualTo(0.06);
    assertThat(server.completions()).hasSize(made);
  }

  @Test
  void callsNoMoreThanAllowedWithinAnHour() throws Exception {
    server.then(good()).then(good()).then(good());
    ReportConfig config = config(server.url(), 1, 2, 1_000_000, 30, 20);
    ask(reports(config));
    ask(reports(config));
    assertThat(refused(reports(config)).getMessage()).contains("2 calls within the hour");
    clock.now = clock.now.plusSeconds(3600);
    assertThat(ask(reports(config)).source()).isEqualTo(CLAUDE);
  }

  @Test
  void usesNoMoreTokensThanAllowed() {
    assertThat(refused(reports(config(server.url(), 1, 100, 3000, 30, 20))).getMessage()).contains("tokens");
    assertThat(server.completions()).isEmpty();
  }

  @Test
  void spendsNothingWithoutAReadableAccount() throws IOException {
    Files.createDirectories(folder.resolve("reports"));
    Files.writeString(folder.resolve("reports/spending.json"), "{\"usd\": ");
    ReportUnavailableException e = refused(reports());
    assertThat(e.reason()).isEqualTo(Reason.NO_BUDGET);
    assertThat(server.completions()).isEmpty();
  }

  @Test
  void countsACallThatWasKilledAtItsHighestPrice() throws Exception {
    Path file = folder.resolve("s/spending.json");
    Spending spending = new Spending(file, new Spending.Budget(1, 10, 10_000), clock);
    spending.enter(0.25, 4000);
    Spending.Entry second = spending.enter(0.25, 4000);
    second.settle(0.01, 700);
    Spending.Account account = new Spending(file, new Spending.Budget(1, 10, 10_000), clock).read();
    assertThat(account.usd()).isEqualTo(0.26);
    assertThat(account.tokens()).isEqualTo(4700);
    assertThat(account.calls()).isEqualTo(2);
  }

  @Test
  void warnsOfAModelThatThereIsNot() throws Exception {
    server.models = FakeOpenRouter.models("anthropic/claude-sonnet-4.5", GPT);
    server.then(good());
    OpenRouterReports reports = reports();
    reports.prepare();
    assertThat(notices).anyMatch(notice -> notice.contains("no model \"" + CLAUDE + "\"")
        && notice.contains("Did you mean anthropic/claude-sonnet-4.5?"));
    assertThat(ask(reports).source()).isEqualTo(GPT);
  }

  @Test
  void findsTheNewestAffordableModelOfAFamily() {
    List<ModelOffer> offers = List.of(
        offer("anthropic/claude-3.5-haiku", 10, 1e-6, 4e-6),
        offer("anthropic/claude-sonnet-4.6", 30, 3e-6, 15e-6),
        offer("anthropic/claude-opus-4.6", 40, 15e-6, 75e-6),
        offer("anthropic/claude-sonnet-4.6:thinking", 50, 3e-6, 15e-6),
        offer("meta-llama/llama-guard-4-12b", 60, 1e-7, 1e-7));
    List<ModelOffer> chosen = ModelChoice.resolve(List.of("claude", "llama"), offers, 8000, 4000, 0.1, notices::add);
    assertThat(chosen).extracting(ModelOffer::id).containsExactly("anthropic/claude-sonnet-4.6");
    assertThat(notices).hasSize(1).first().asString().contains("no llama model");
  }

  private static ModelOffer offer(String id, long created, double prompt, double answer) {
    return new ModelOffer(id, created, 200_000, 8000, prompt, answer, 0, Set.of("structured_outputs"));
  }

  @Test
  void goesWithoutAModelWhoseListCannotBeHad() throws Exception {
    server.modelsStatus = 500;
    OpenRouterReports reports = reports();
    reports.prepare();
    assertThat(notices).anyMatch(notice -> notice.contains("made by rules until OpenRouter answers"));
    assertThat(refused(reports)).hasMessageContaining("list of models");
    assertThat(server.completions()).isEmpty();
    server.modelsStatus = 200;
    server.then(good());
    assertThat(ask(reports).source()).isEqualTo(CLAUDE);
  }

  @Test
  void goesWithoutAModelWhenThereIsNoNetwork() throws IOException {
    server.close();
    assertThat(refused(reports())).hasMessageContaining("the connection failed");
  }

  @Test
  void keepsTheKeyToItselfWhateverTheServerEchoes() throws Exception {
    String escaped = KEY.replace("s", "\\u0073");
    ObjectNode report = FakeOpenRouter.report();
    report.put("summary", "the key is " + KEY);
    String content = report.toString().replace(KEY, escaped);
    List<RunReports.Made> made = new ArrayList<>();
    List<FakeOpenRouter.Reply> replies = List.of(
        FakeOpenRouter.success(content),
        FakeOpenRouter.error(401, "", "bad key " + KEY),
        FakeOpenRouter.body(200, "{\"error\":{\"code\":400,\"message\":\"" + escaped + "\"}}"),
        FakeOpenRouter.success("no JSON but " + KEY),
        FakeOpenRouter.success("{\"" + KEY + "\": 1}"),
        FakeOpenRouter.body(200, "{\"model\":\"" + KEY + "\",\"choices\":[{\"message\":{\"content\":"
            + FakeOpenRouter.JSON.writeValueAsString(FakeOpenRouter.report().toString()) + "}}]}"));
    for (FakeOpenRouter.Reply reply : replies) {
      server.then(reply).then(FakeOpenRouter.error(401, "", KEY));
      ReportSource source = reports();
      RunReports reports = new RunReports(
          new RunReports.Files(folder.resolve("metrics.jsonl"), folder.resolve("config.yaml"),
              folder.resolve("changes.jsonl"), folder.resolve("reports")),
          "en", source, clock, notices::add, report1 -> {});
      made.add(reports.make(true));
      server.takeAll();
    }
    assertThat(made.get(0).report().summary()).contains("the key is (key)");
    assertThat(made.get(1).report().source()).isEqualTo(Report.RULES);
    assertThat(made.get(1).report().summary()).contains("OpenRouter did not answer as it should", "(key)");
    assertThat(made.toString() + notices + new Secret(KEY)).doesNotContain(KEY);
    try (Stream<Path> files = Files.walk(folder)) {
      assertThat(files.filter(Files::isRegularFile)).isNotEmpty().allSatisfy(
          file -> assertThat(Files.readString(file)).doesNotContain(KEY).doesNotContain(escaped));
    }
  }

  @Test
  void refusesAKeyThatNoHeaderCanHoldWithoutShowingIt() {
    for (String bad : List.of("short", "with blank 123456", "sk-or-v1-\u00e9\u00e9\u00e9\u00e9")) {
      IllegalArgumentException e = catchThrowableOfType(IllegalArgumentException.class, () -> new Secret(bad));
      assertThat(e).isNotNull().hasMessageNotContaining(bad);
    }
  }

  @Test
  void findsTheKeyInTheEnvironmentThenInAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("key"), KEY + "x\nsecond line\n");
    assertThat(Secret.find(Map.of(), null)).isEmpty();
    assertThat(Secret.find(Map.of("OPENROUTER_API_KEY", " "), null)).isEmpty();
    assertThat(Secret.find(Map.of("OPENROUTER_API_KEY", KEY + "\n"), file.toString()).orElseThrow().bearer())
        .isEqualTo("Bearer " + KEY);
    assertThat(Secret.find(Map.of(), file.toString()).orElseThrow().bearer()).isEqualTo("Bearer " + KEY + "x");
    assertThat(catchThrowableOfType(IllegalArgumentException.class, () -> Secret.find(Map.of(), folder + "/none")))
        .hasMessageContaining("keyFile");
  }
}
