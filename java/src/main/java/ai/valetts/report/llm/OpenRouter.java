package ai.valetts.report.llm;

import ai.valetts.report.llm.OpenRouterException.Remedy;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Single calls to OpenRouter, each tried once, as its documentation describes them
 * (openrouter.ai/docs/api-reference). Errors come as {@code {"error": {code, message}}} with the same HTTP status, or,
 * once a model has begun, inside a body with status 200 or inside one of its choices. Every text from outside passes
 * {@link Secret#redact} before it is looked at. Redirects are not followed: the key stays with the configured host.
 */
final class OpenRouter {
  private static final long MAX_ANSWER_BYTES = 1L << 20;
  private static final long MAX_LIST_BYTES = 32L << 20;
  private static final int MAX_MESSAGE_CHARACTERS = 300;
  private static final long POLL_MILLIS = 50;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final String baseUrl;
  private final Secret key;
  private final Limits limits;
  private final Clock clock;
  private final HttpClient client;

  /**
   * Patience with one call.
   *
   * @param whole from the request to the last byte
   * @param idle between two parts of the answer's body
   */
  record Limits(Duration whole, Duration idle) {}

  /**
   * @param clock tells how long it is to the date of a {@code Retry-After}
   */
  OpenRouter(String baseUrl, Secret key, Limits limits, Clock clock) {
    this.baseUrl = baseUrl.replaceAll("/+$", "");
    this.key = key;
    this.limits = limits;
    this.clock = clock;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(limits.whole())
            .build();
  }

  /** The models there are and what they cost; those without a usable price are left out. Needs no key and sends none. */
  List<ModelOffer> models() throws OpenRouterException, InterruptedException {
    JsonNode answer = call(request("/models").GET().build(), MAX_LIST_BYTES);
    JsonNode data = answer.path("data");
    if (!data.isArray()) {
      throw new OpenRouterException(Remedy.RETRY, null, false, "the list of models has no \"data\"");
    }
    List<ModelOffer> offers = new ArrayList<>();
    for (JsonNode model : data) {
      JsonNode pricing = model.path("pricing");
      double prompt = price(pricing.path("prompt"), -1);
      double completion = price(pricing.path("completion"), -1);
      double each = price(pricing.path("request"), 0);
      if (model.path("id").isTextual() && prompt >= 0 && completion >= 0 && each >= 0) {
        Set<String> parameters = new HashSet<>();
        model.path("supported_parameters").forEach(name -> parameters.add(name.asText()));
        offers.add(new ModelOffer(
            model.path("id").asText(),
            model.path("created").asLong(),
            model.path("context_length").asLong(),
            model.path("top_provider").path("max_completion_tokens").asInt(),
            prompt,
            completion,
            each,
            parameters));
      }
    }
    return offers;
  }

  /** Prices are texts, in dollars for one token. */
  private static double price(JsonNode price, double otherwise) {
    if (price.isMissingNode() || price.isNull()) {
      return otherwise;
    }
    try {
      double value = Double.parseDouble(price.asText());
      return Double.isFinite(value) ? value : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /** Asks a model. */
  Completion complete(ObjectNode body) throws OpenRouterException, InterruptedException {
    byte[] bytes;
    try {
      bytes = JSON.writeValueAsBytes(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree is always JSON", e);
    }
    HttpRequest request =
        request("/chat/completions")
            .header("Authorization", key.bearer())
            .header("Content-Type", "application/json")
            .header("X-Title", "ValeTTS")
            .POST(HttpRequest.BodyPublishers.ofByteArray(bytes))
            .build();
    JsonNode answer = call(request, MAX_ANSWER_BYTES);
    JsonNode choice = answer.path("choices").path(0);
    if (choice.isMissingNode()) {
      throw new OpenRouterException(Remedy.RETRY, null, true, "the answer has no choices");
    }
    if (choice.path("error").isObject()) {
      throw failure(0, choice.path("error"), null, true);
    }
    String finish = choice.path("finish_reason").asText();
    if (finish.equals("error")) {
      throw new OpenRouterException(Remedy.RETRY, null, true, "the model broke off with an error");
    }
    if (finish.equals("content_filter")) {
      throw new OpenRouterException(Remedy.OTHER_MODEL, null, true, "the model's filter held the answer back");
    }
    String text = text(choice.path("message").path("content"));
    if (text.isBlank()) {
      throw new OpenRouterException(Remedy.OTHER_MODEL, null, true, "the answer is empty");
    }
    JsonNode usage = answer.path("usage");
    double cost = usage.path("cost").asDouble(Double.NaN);
    return new Completion(
        answer.path("model").asText(body.path("model").asText()),
        text,
        finish.equals("length"),
        cost >= 0 ? cost : Double.NaN,
        Math.max(0, usage.path("prompt_tokens").asLong()) + Math.max(0, usage.path("completion_tokens").asLong()));
  }

  /** Content is a text, or a list of parts. */
  private static String text(JsonNode content) {
    if (!content.isArray()) {
      return content.asText("");
    }
    StringBuilder text = new StringBuilder();
    content.forEach(part -> text.append(part.path("text").asText("")));
    return text.toString();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(baseUrl + path)).header("Accept", "application/json").timeout(limits.whole());
  }

  private JsonNode call(HttpRequest request, long maxBytes) throws OpenRouterException, InterruptedException {
    boolean mayCost = request.method().equals("POST");
    HttpResponse<byte[]> response = send(request, maxBytes, mayCost);
    String body = key.redact(new String(response.body(), StandardCharsets.UTF_8));
    JsonNode answer;
    try {
      JsonNode parsed = JSON.readTree(body);
      answer = parsed == null ? JSON.missingNode() : key.redact(parsed);
    } catch (JsonProcessingException e) {
      answer = JSON.missingNode();
    }
    int status = response.statusCode();
    if (status != 200) {
      throw failure(status, answer.path("error"), retryAfter(response.headers()), false);
    }
    if (answer.path("error").isObject()) {
      throw failure(0, answer.path("error"), retryAfter(response.headers()), mayCost);
    }
    if (!answer.isObject()) {
      throw new OpenRouterException(Remedy.RETRY, null, mayCost, "the answer is no JSON object");
    }
    return answer;
  }

  private HttpResponse<byte[]> send(HttpRequest request, long maxBytes, boolean mayCost)
      throws OpenRouterException, InterruptedException {
    long start = System.nanoTime();
    AtomicLong latest = new AtomicLong(0);
    CompletableFuture<HttpResponse<byte[]>> future =
        client.sendAsync(request, head -> new BoundedBody(maxBytes, latest));
    try {
      while (true) {
        try {
          return future.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          long now = System.nanoTime();
          if (now - start > limits.whole().toNanos()) {
            throw new OpenRouterException(
                Remedy.RETRY, null, mayCost, "no whole answer within " + words(limits.whole()));
          }
          if (latest.get() != 0 && now - latest.get() > limits.idle().toNanos()) {
            throw new OpenRouterException(
                Remedy.RETRY, null, mayCost, "the answer stopped for more than " + words(limits.idle()));
          }
        }
      }
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() instanceof IOException io ? io : e;
      String message = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
      throw new OpenRouterException(Remedy.RETRY, null, mayCost, clean("the connection failed: " + message));
    } finally {
      future.cancel(true);
    }
  }

  private static String words(Duration duration) {
    return duration.toMillis() % 1000 == 0 ? duration.toSeconds() + " s" : duration.toMillis() + " ms";
  }

  /**
   * @param status HTTP's; 0 takes the error's own code
   */
  private OpenRouterException failure(int status, JsonNode error, Duration retryAfter, boolean mayCost) {
    int code = status == 0 ? error.path("code").asInt() : status;
    String said = error.path("message").asText("");
    String message = clean("error " + code + (said.isBlank() ? "" : ": " + said));
    if (code == 401) {
      return new OpenRouterException(Remedy.NONE, null, false, message + " (is " + Secret.VARIABLE + " right?)");
    }
    if (code == 402 && retryAfter == null) {
      return new OpenRouterException(Remedy.NONE, null, false, message + " (the account has no credit)");
    }
    boolean again = code == 402 || code == 408 || code == 429 || code >= 500;
    return new OpenRouterException(again ? Remedy.RETRY : Remedy.OTHER_MODEL, retryAfter, mayCost, message);
  }

  /** Seconds or a date; null where there is neither. */
  private Duration retryAfter(HttpHeaders headers) {
    String value = headers.firstValue("Retry-After").orElse("").strip();
    if (value.matches("[0-9]{1,9}")) {
      return Duration.ofSeconds(Long.parseLong(value));
    }
    try {
      Duration until =
          Duration.between(clock.instant(), DateTimeFormatter.RFC_1123_DATE_TIME.parse(value, Instant::from));
      return until.isNegative() ? Duration.ZERO : until;
    } catch (DateTimeException e) {
      return null;
    }
  }

  private String clean(String message) {
    String plain = key.redact(message).replaceAll("\\p{Cntrl}+", " ").strip();
    return plain.length() <= MAX_MESSAGE_CHARACTERS ? plain : plain.substring(0, MAX_MESSAGE_CHARACTERS) + "...";
  }
}
