package ai.valetts.report.llm;

import ai.valetts.config.ConfigKeys;
import ai.valetts.config.ReportConfig;
import ai.valetts.report.Report;
import ai.valetts.report.ReportSchema;
import ai.valetts.report.ReportSource;
import ai.valetts.report.ReportUnavailableException;
import ai.valetts.report.ReportUnavailableException.Reason;
import ai.valetts.report.RunSummary;
import ai.valetts.report.llm.OpenRouterException.Remedy;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;

/**
 * Reports by the first of several models that answers as asked. Each model is tried up to three times where waiting may
 * help, and is given one chance to mend an answer that is no JSON; an answer that breaks the schema goes to the next
 * model. Wrong keys and empty accounts end it at once. Nothing is called beyond the budget.
 */
public final class OpenRouterReports implements ReportSource {
  private static final int ATTEMPTS = 3;
  private static final Duration FIRST_WAIT = Duration.ofSeconds(2);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

  /** A report may take so many times the time-out of one call. */
  private static final int PATIENCE_CALLS = 4;

  /** Characters that surely make a token, for a price before the call. */
  private static final double CHARACTERS_PER_TOKEN = 2.5;

  /** Tokens of a usual prompt, to choose models by. */
  private static final long USUAL_PROMPT_TOKENS = 8_000;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ReportConfig config;
  private final ReportConfig.Llm llm;
  private final Secret key;
  private final OpenRouter openRouter;
  private final Spending spending;
  private final ReportSchema schema = new ReportSchema();
  private final Clock clock;
  private final Pause pause;
  private final DoubleSupplier random;
  private final Consumer<String> notice;
  private List<ModelOffer> models;

  /**
   * @param config with a section {@code llm}
   * @param spending file in the run's folder that keeps the account
   * @param notice told what a person should know; never holds the key
   */
  public OpenRouterReports(ReportConfig config, Secret key, Path spending, Consumer<String> notice) {
    this(
        config,
        key,
        spending,
        notice,
        Clock.systemUTC(),
        duration -> TimeUnit.NANOSECONDS.sleep(duration.toNanos()),
        () -> ThreadLocalRandom.current().nextDouble());
  }

  OpenRouterReports(
      ReportConfig config,
      Secret key,
      Path spending,
      Consumer<String> notice,
      Clock clock,
      Pause pause,
      DoubleSupplier random) {
    this.config = config;
    this.llm = config.llm();
    this.key = key;
    this.notice = text -> notice.accept(key.redact(text));
    this.clock = clock;
    this.pause = pause;
    this.random = random;
    OpenRouter.Limits limits = new OpenRouter.Limits(seconds(llm.timeoutSeconds()), seconds(llm.idleSeconds()));
    this.openRouter = new OpenRouter(llm.baseUrl(), key, limits, clock);
    this.spending =
        new Spending(
            spending, new Spending.Budget(llm.maxUsd(), llm.maxCallsPerHour(), llm.maxTokens()), clock);
  }

  private static Duration seconds(double value) {
    return Duration.ofMillis(Math.round(value * 1000));
  }

  @Override
  public void prepare() throws InterruptedException {
    try {
      models(deadlineMillis());
      notice.accept("reports may ask " + String.join(", ", models.stream().map(ModelOffer::id).toList()));
    } catch (ReportUnavailableException e) {
      notice.accept("Reports will be made by rules until OpenRouter answers: " + e.getMessage());
    }
  }

  @Override
  public Report report(RunSummary run, String language, String createdAt)
      throws ReportUnavailableException, InterruptedException {
    long deadline = deadlineMillis();
    List<String> failures = new ArrayList<>();
    for (ModelOffer model : models(deadline)) {
      Optional<Report> report = ask(model, run, language, createdAt, deadline, failures);
      if (report.isPresent()) {
        return report.get();
      }
    }
    throw new ReportUnavailableException(Reason.FAILED, String.join("; ", failures));
  }

  private long deadlineMillis() {
    return clock.millis() + Math.round(llm.timeoutSeconds() * 1000 * PATIENCE_CALLS);
  }

  private List<ModelOffer> models(long deadline) throws ReportUnavailableException, InterruptedException {
    if (models != null) {
      return models;
    }
    try {
      List<ModelOffer> offers = retried(openRouter::models, deadline);
      List<ModelOffer> found =
          ModelChoice.resolve(
              llm.ask(), offers, USUAL_PROMPT_TOKENS, llm.maxAnswerTokens(), llm.maxUsdPerCall(), notice);
      if (found.isEmpty()) {
        throw new ReportUnavailableException(Reason.FAILED, "none of " + llm.ask() + " can be asked");
      }
      models = found;
      return found;
    } catch (OpenRouterException e) {
      throw new ReportUnavailableException(Reason.FAILED, "the list of models: " + e.getMessage());
    }
  }

  private Optional<Report> ask(
      ModelOffer model,
      RunSummary run,
      String language,
      String createdAt,
      long deadline,
      List<String> failures)
      throws ReportUnavailableException, InterruptedException {
    ArrayNode messages = JSON.createArrayNode();
    String instructions = Prompt.system(language);
    if (!model.followsSchema()) {
      instructions += "\n\n" + Prompt.answerSchema(schema);
    }
    add(messages, "system", instructions);
    add(messages, "user", Prompt.facts(run, config.changes()));
    try {
      Completion answer = complete(model, messages, deadline);
      JsonNode tree = parse(answer.text());
      if (tree == null && !answer.cutOff()) {
        add(messages, "assistant", answer.text());
        add(messages, "user", "That is no JSON object. Answer again with the JSON object alone.");
        answer = complete(model, messages, deadline);
        tree = parse(answer.text());
      }
      if (tree == null) {
        failures.add(model.id() + ": " + (answer.cutOff() ? "the answer is cut off" : "the answer is no JSON"));
        return Optional.empty();
      }
      return report((ObjectNode) tree, answer.model(), run, language, createdAt, failures);
    } catch (OpenRouterException e) {
      String failure = model.id() + ": " + e.getMessage();
      if (e.remedy() == Remedy.NONE) {
        throw new ReportUnavailableException(Reason.FAILED, failure);
      }
      failures.add(failure);
      return Optional.empty();
    }
  }

  private Optional<Report> report(
      ObjectNode answer, String model, RunSummary run, String language, String createdAt, List<String> failures) {
    ObjectNode whole = (ObjectNode) key.redact(answer);
    whole.put("step", run.step());
    whole.put("createdAt", createdAt);
    whole.put("language", language);
    whole.put("source", model);
    List<String> problems = schema.problems(whole.toString());
    if (problems.isEmpty()) {
      try {
        return Optional.of(checked(JSON.treeToValue(whole, Report.class), run));
      } catch (JsonProcessingException e) {
        problems = List.of(String.valueOf(e.getOriginalMessage()));
      }
    }
    failures.add(model + ": the answer breaks the schema (" + problems.get(0) + ")");
    return Optional.empty();
  }

  /** Without suggestions for keys that there are not; with the values that the keys really have. */
  private static Report checked(Report report, RunSummary run) {
    List<String> keys = ConfigKeys.all();
    List<Report.Suggestion> sound =
        report.suggestions().stream()
            .filter(suggestion -> keys.contains(suggestion.key()) && suggestion.low() <= suggestion.high())
            .map(suggestion -> {
              Double current = run.config().get(suggestion.key()) instanceof Number number ? number.doubleValue() : null;
              return new Report.Suggestion(
                  suggestion.key(), current, suggestion.low(), suggestion.high(), suggestion.confidence(),
                  suggestion.reason());
            })
            .toList();
    List<Report.Problem> worstFirst =
        report.problems().stream().sorted((a, b) -> b.severity().compareTo(a.severity())).toList();
    return new Report(
        report.step(), report.createdAt(), report.language(), report.source(), report.state(), report.summary(),
        report.losses(), worstFirst, sound);
  }

  /** The object in an answer, a fence of code around it left out; null if there is none. */
  private static JsonNode parse(String text) {
    String plain = text.strip().replaceAll("(?s)^```[a-zA-Z]*\\s*(.*?)\\s*```$", "$1");
    try {
      JsonNode tree = JSON.readTree(plain);
      return tree != null && tree.isObject() ? tree : null;
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  private Completion complete(ModelOffer model, ArrayNode messages, long deadline)
      throws OpenRouterException, ReportUnavailableException, InterruptedException {
    int maxTokens =
        model.maxAnswerTokens() > 0 ? Math.min(llm.maxAnswerTokens(), model.maxAnswerTokens()) : llm.maxAnswerTokens();
    ObjectNode body = JSON.createObjectNode();
    body.put("model", model.id());
    body.set("messages", messages);
    body.put("max_tokens", maxTokens);
    body.put("temperature", 0.2);
    if (model.followsSchema()) {
      ObjectNode format = body.putObject("response_format").put("type", "json_schema").putObject("json_schema");
      format.put("name", "report").put("strict", true).set("schema", Prompt.answerSchema(schema));
      body.putObject("provider").put("require_parameters", true);
    } else if (model.answersJson()) {
      body.putObject("response_format").put("type", "json_object");
    }
    long promptTokens = (long) Math.ceil(body.toString().length() / CHARACTERS_PER_TOKEN);
    double price = model.priceOf(promptTokens, maxTokens);
    if (price > llm.maxUsdPerCall()) {
      throw new OpenRouterException(
          Remedy.OTHER_MODEL, null, false,
          String.format(Locale.ROOT, "a call may cost %.4f USD, report.llm.maxUsdPerCall is %.4f", price,
              llm.maxUsdPerCall()));
    }
    return retried(() -> {
      Spending.Entry entry = spending.enter(price, promptTokens + maxTokens);
      try {
        Completion completion = openRouter.complete(body);
        entry.settle(
            Double.isNaN(completion.costUsd()) ? price : completion.costUsd(),
            completion.tokens() > 0 ? completion.tokens() : promptTokens + maxTokens);
        return completion;
      } catch (OpenRouterException e) {
        if (!e.mayCost()) {
          entry.settle(0, 0);
        }
        throw e;
      }
    }, deadline);
  }

  private interface Call<T> {
    T make() throws OpenRouterException, ReportUnavailableException, InterruptedException;
  }

  private <T> T retried(Call<T> call, long deadline)
      throws OpenRouterException, ReportUnavailableException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try {
        return call.make();
      } catch (OpenRouterException e) {
        Duration wait = e.retryAfter().orElse(backoff(attempt));
        boolean tooLong =
            wait.compareTo(LONGEST_WAIT) > 0 || clock.millis() + wait.toMillis() > deadline;
        if (e.remedy() != Remedy.RETRY || attempt == ATTEMPTS || tooLong) {
          throw e;
        }
        pause.sleep(wait);
      }
    }
  }

  /** Twice as long each time, and at random between half and the whole of it, so that callers do not come together. */
  private Duration backoff(int attempt) {
    double factor = Math.pow(2, attempt - 1) * (0.5 + 0.5 * random.getAsDouble());
    return Duration.ofMillis(Math.round(FIRST_WAIT.toMillis() * factor));
  }

  private static void add(ArrayNode messages, String role, String content) {
    messages.addObject().put("role", role).put("content", content);
  }
}
