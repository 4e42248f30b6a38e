package ai.valetts.monitor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.zip.GZIPInputStream;

/** The routes of Weights &amp; Biases that its client needs to upload a run, on this machine; keeps what it is sent. */
final class WandbServer implements AutoCloseable {
  private final ObjectMapper json = new ObjectMapper();
  private final HttpServer server;
  final Map<Integer, JsonNode> history = Collections.synchronizedMap(new TreeMap<>());
  final List<String> requests = Collections.synchronizedList(new ArrayList<>());
  final Map<String, Integer> uploadedBytes = new ConcurrentHashMap<>();
  volatile JsonNode upserted;
  volatile JsonNode summary;
  volatile JsonNode completion;

  WandbServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool(task -> {
      Thread thread = new Thread(task, "wandb-stand-in");
      thread.setDaemon(true);
      return thread;
    }));
    server.createContext("/", this::answer);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) throws IOException {
    byte[] body;
    try (InputStream in = exchange.getRequestBody()) {
      body = in.readAllBytes();
    }
    if ("gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"))) {
      body = new GZIPInputStream(new java.io.ByteArrayInputStream(body)).readAllBytes();
    }
    String path = exchange.getRequestURI().getPath();
    requests.add(exchange.getRequestMethod() + " " + path);
    String reply = "{}";
    if (path.startsWith("/upload/")) {
      uploadedBytes.put(path.substring("/upload/".length()), body.length);
    } else if (path.endsWith("/file_stream")) {
      stream(json.readTree(body));
    } else if (path.equals("/graphql")) {
      reply = query(json.readTree(body)).toString();
    }
    byte[] bytes = reply.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private void stream(JsonNode body) throws IOException {
    JsonNode rows = body.path("files").path("wandb-history.jsonl");
    int offset = rows.path("offset").asInt();
    for (JsonNode line : rows.path("content")) {
      history.put(offset++, json.readTree(line.asText()));
    }
    JsonNode latest = body.path("files").path("wandb-summary.json").path("content");
    if (latest.size() > 0) {
      summary = json.readTree(latest.get(latest.size() - 1).asText());
    }
    if (body.path("complete").asBoolean()) {
      completion = body;
    }
  }

  private ObjectNode query(JsonNode request) {
    String query = request.path("query").asText();
    ObjectNode reply = json.createObjectNode();
    ObjectNode data = reply.putObject("data");
    if (query.contains("upsertBucket")) {
      JsonNode variables = request.path("variables");
      requests.add("upsert " + variables);
      // The first describes the run, later ones what changed.
      upserted = upserted == null ? variables : upserted;
      ObjectNode bucket = data.putObject("upsertBucket").put("inserted", true).putObject("bucket");
      bucket.put("id", "QnVja2V0").put("name", variables.path("name").asText()).put("historyLineCount", 0);
      bucket.put("displayName", variables.path("displayName").asText());
      bucket.putObject("project").put("name", "voices").putObject("entity").put("name", "ana");
    } else if (query.contains("createRunFiles")) {
      requests.add("files " + request.path("variables").path("files"));
      ObjectNode created = data.putObject("createRunFiles");
      created.put("runID", "QnVja2V0").putArray("uploadHeaders");
      ArrayNode files = created.putArray("files");
      for (JsonNode name : request.path("variables").path("files")) {
        files.addObject().put("name", name.asText()).put("uploadUrl", url() + "/upload/" + name.asText());
      }
    } else if (query.contains("viewer")) {
      data.putObject("viewer").put("id", "V").put("entity", "ana").put("username", "ana").put("flags", "{}");
    } else {
      requests.add("query " + query.replaceAll("\\s+", " "));
    }
    return reply;
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
