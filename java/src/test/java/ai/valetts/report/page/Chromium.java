package ai.valetts.report.page;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A real Chromium without a window, led through its DevTools protocol. */
final class Chromium implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Process process;
  private final WebSocket socket;
  private final AtomicInteger ids = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
  final List<String> complaints = Collections.synchronizedList(new ArrayList<>());
  final List<String> requests = Collections.synchronizedList(new ArrayList<>());

  /** The test is skipped where there is none. */
  static Chromium open(Path profile) throws Exception {
    Path program = null;
    for (String name : List.of("chromium", "chromium-browser", "google-chrome")) {
      for (String folder : System.getenv("PATH").split(":")) {
        if (program == null && Files.isExecutable(Path.of(folder, name))) {
          program = Path.of(folder, name);
        }
      }
    }
    if (program == null) {
      System.err.println("skipped: there is no Chromium to open the page with");
    }
    assumeTrue(program != null, "there is no Chromium to open the page with");
    return new Chromium(program, profile);
  }

  private Chromium(Path program, Path profile) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
                program.toString(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", "--disable-extensions", "--mute-audio",
                "--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0", "--remote-allow-origins=*",
                "--user-data-dir=" + profile, "about:blank")
            .redirectErrorStream(true)
            .redirectOutput(profile.resolveSibling("chromium.log").toFile());
    builder.environment().put("TMPDIR", profile.toString());
    process = builder.start();
    Path portFile = profile.resolve("DevToolsActivePort");
    for (int i = 0; i < 300 && (!Files.exists(portFile) || Files.readAllLines(portFile).isEmpty()); i++) {
      Thread.sleep(100);
    }
    String port = Files.readAllLines(portFile).get(0);
    HttpClient client = HttpClient.newHttpClient();
    JsonNode page = null;
    for (int i = 0; i < 100 && page == null; i++) {
      HttpRequest list = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/json/list")).build();
      for (JsonNode target : JSON.readTree(client.send(list, HttpResponse.BodyHandlers.ofString()).body())) {
        if (target.path("type").asText().equals("page")) {
          page = target;
        }
      }
      Thread.sleep(50);
    }
    socket =
        client.newWebSocketBuilder()
            .buildAsync(URI.create(page.path("webSocketDebuggerUrl").asText()), new Hearer())
            .get(20, TimeUnit.SECONDS);
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      call(domain + ".enable", Map.of());
    }
  }

  /** Opens a page as a screen of this width shows it. */
  void open(Path file, int width, int height, boolean dark) throws Exception {
    call("Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
    call("Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    call("Page.navigate", Map.of("url", file.toUri().toString()));
    for (int i = 0; i < 200 && !evaluate("document.readyState").asText().equals("complete"); i++) {
      Thread.sleep(50);
    }
  }

  /** The value of an expression; a promise is awaited. */
  JsonNode evaluate(String expression) throws Exception {
    JsonNode result =
        call("Runtime.evaluate", Map.of("expression", expression, "awaitPromise", true, "returnByValue", true));
    if (result.has("exceptionDetails")) {
      throw new IllegalStateException(result.get("exceptionDetails").toString());
    }
    return result.path("result").path("value");
  }

  /** A picture of the whole page. */
  byte[] screenshot() throws Exception {
    JsonNode size = call("Page.getLayoutMetrics", Map.of()).path("cssContentSize");
    JsonNode shot =
        call("Page.captureScreenshot",
            Map.of("captureBeyondViewport", true, "clip",
                Map.of("x", 0, "y", 0, "width", size.path("width").asDouble(), "height", size.path("height").asDouble(),
                    "scale", 1)));
    return Base64.getDecoder().decode(shot.path("data").asText());
  }

  private JsonNode call(String method, Map<String, Object> parameters) throws Exception {
    int id = ids.incrementAndGet();
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", JSON.valueToTree(parameters));
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    answers.put(id, answer);
    socket.sendText(message.toString(), true).get(20, TimeUnit.SECONDS);
    JsonNode reply = answer.get(40, TimeUnit.SECONDS);
    if (reply.has("error")) {
      throw new IllegalStateException(method + ": " + reply.get("error"));
    }
    return reply.path("result");
  }

  private void hear(JsonNode message) {
    if (message.has("id")) {
      answers.remove(message.get("id").asInt()).complete(message);
      return;
    }
    JsonNode parameters = message.path("params");
    switch (message.path("method").asText()) {
      case "Runtime.exceptionThrown" -> complaints.add(parameters.path("exceptionDetails").toString());
      case "Runtime.consoleAPICalled" -> complaints.add(parameters.path("args").toString());
      case "Log.entryAdded" -> complaints.add(parameters.path("entry").path("text").asText());
      case "Network.requestWillBeSent" -> {
        String url = parameters.path("request").path("url").asText();
        if (!url.startsWith("data:")) {
          requests.add(url);
        }
      }
      default -> { }
    }
  }

  @Override
  public void close() throws IOException {
    socket.abort();
    // Its helpers outlive the browser for a moment and write into the profile, which the test is about to delete.
    List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
    all.add(process.toHandle());
    all.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle one : all) {
      try {
        one.onExit().get(10, TimeUnit.SECONDS);
      } catch (ExecutionException | TimeoutException e) {
        throw new IOException("Chromium did not end", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private final class Hearer implements WebSocket.Listener {
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
      text.append(part);
      if (last) {
        try {
          hear(JSON.readTree(text.toString()));
        } catch (IOException e) {
          complaints.add(e.toString());
        }
        text.setLength(0);
      }
      from.request(1);
      return null;
    }
  }
}
