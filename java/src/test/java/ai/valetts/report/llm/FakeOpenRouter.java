package ai.valetts.report.llm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A server on a bare socket that speaks as OpenRouter documents it, and misbehaves as networks do. Answers of
 * {@code /chat/completions} are given in the order they were queued.
 */
public final class FakeOpenRouter implements AutoCloseable {
  static final ObjectMapper JSON = new ObjectMapper();

  /** One request that came. */
  public record Seen(String method, String path, String head, JsonNode body) {}

  /** How a request is answered, on the bare connection. */
  public interface Reply {
    void to(Socket socket, Seen request) throws IOException;
  }

  private final ServerSocket server;
  private final Deque<Reply> replies = new ArrayDeque<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  public final List<Seen> seen = Collections.synchronizedList(new ArrayList<>());
  volatile String models = models("anthropic/claude-sonnet-4.6", "openai/gpt-5-mini", "meta-llama/llama-3.3-70b-instruct");
  volatile int modelsStatus = 200;

  public FakeOpenRouter() throws IOException {
    server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread thread = new Thread(this::serve, "fake-openrouter");
    thread.setDaemon(true);
    thread.start();
  }

  public String url() {
    return "http://127.0.0.1:" + server.getLocalPort() + "/api/v1";
  }

  public FakeOpenRouter then(Reply reply) {
    replies.add(reply);
    return this;
  }

  /** Forgets answers that nobody asked for. */
  void takeAll() {
    synchronized (replies) {
      replies.clear();
    }
  }

  public List<Seen> completions() {
    return seen.stream().filter(request -> request.path().endsWith("/chat/completions")).toList();
  }

  static String models(String... ids) {
    ObjectNode root = JSON.createObjectNode();
    for (String id : ids) {
      ObjectNode model = root.withArray("data").addObject();
      model.put("id", id).put("created", 1_770_000_000L).put("context_length", 200_000);
      model.putObject("pricing").put("prompt", "0.000001").put("completion", "0.000005").put("request", "0");
      model.putObject("top_provider").put("max_completion_tokens", 64_000);
      model.putArray("supported_parameters").add("max_tokens").add("response_format").add("structured_outputs");
    }
    return root.toString();
  }

  /** A report as a model would write it. */
  public static ObjectNode report() {
    ObjectNode report = JSON.createObjectNode();
    report.put("state", "Tudo em ordem").put("summary", "O treino vai bem.");
    report.putArray("losses").addObject().put("name", "loss/g/mel_l1").put("now", "0,5").put("forBeginners", "erro");
    report.putArray("problems").addObject().put("id", "slow").put("severity", "info").put("title", "t").put("evidence", "1");
    report.withArray("problems").addObject().put("id", "bad").put("severity", "critical").put("title", "t").put("evidence", "2");
    report.putArray("suggestions").addObject().put("key", "optimizer.learningRate").put("current", 7).put("low", 1e-4)
        .put("high", 1.5e-4).put("confidence", 0.7).put("reason", "oscila");
    report.withArray("suggestions").addObject().put("key", "optimizer.magic").put("current", 7).put("low", 1e-4)
        .put("high", 1.5e-4).put("confidence", 0.7).put("reason", "inventado");
    return report;
  }

  public static Reply success(String content) {
    return (socket, request) -> write(socket, 200, "", completion(request, content, "stop"));
  }

  static String completion(Seen request, String content, String finish) {
    ObjectNode root = JSON.createObjectNode();
    root.put("id", "gen-1").put("object", "chat.completion").put("model", request.body().path("model").asText());
    ObjectNode choice = root.withArray("choices").addObject();
    choice.put("index", 0).put("finish_reason", finish);
    choice.putObject("message").put("role", "assistant").put("content", content);
    root.putObject("usage").put("prompt_tokens", 1000).put("completion_tokens", 500).put("total_tokens", 1500).put("cost", 0.0123);
    return root.toString();
  }

  static Reply error(int status, String headers, String message) {
    return (socket, request) -> write(socket, status, headers,
        JSON.createObjectNode().set("error", JSON.createObjectNode().put("code", status).put("message", message)).toString());
  }

  static Reply body(int status, String body) {
    return (socket, request) -> write(socket, status, "", body);
  }

  static Reply hangUp() {
    return (socket, request) -> socket.close();
  }

  /** Half of a body, then the end of the connection. */
  static Reply cutOff() {
    return (socket, request) -> {
      socket.getOutputStream().write(
          "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"choices\": [".getBytes(StandardCharsets.UTF_8));
      socket.getOutputStream().flush();
    };
  }

  /** One byte now and then, for ever. */
  Reply drip(long everyMillis) {
    return (socket, request) -> {
      OutputStream out = socket.getOutputStream();
      out.write("HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n".getBytes(StandardCharsets.UTF_8));
      try {
        do {
          out.write(' ');
          out.flush();
        } while (!closed.await(everyMillis, TimeUnit.MILLISECONDS));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    };
  }

  static void write(Socket socket, int status, String headers, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    socket.getOutputStream().write(
        ("HTTP/1.1 " + status + " X\r\n" + headers + "Content-Type: application/json\r\nContent-Length: " + bytes.length
            + "\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.UTF_8));
    socket.getOutputStream().write(bytes);
    socket.getOutputStream().flush();
  }

  private void serve() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        Thread thread = new Thread(() -> answer(socket), "fake-openrouter-connection");
        thread.setDaemon(true);
        thread.start();
      } catch (IOException e) {
        return;
      }
    }
  }

  private void answer(Socket socket) {
    try (socket) {
      Seen request = read(socket.getInputStream());
      seen.add(request);
      if (request.path().endsWith("/models")) {
        write(socket, modelsStatus, "", models);
        return;
      }
      Reply reply;
      synchronized (replies) {
        reply = replies.poll();
      }
      if (reply == null) {
        reply = error(400, "", "nothing more was queued");
      }
      reply.to(socket, request);
    } catch (IOException e) {
      // The client has left, which is what many tests are about.
    }
  }

  private static Seen read(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    while (!head.toString(StandardCharsets.UTF_8).endsWith("\r\n\r\n")) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("no request");
      }
      head.write(next);
    }
    String text = head.toString(StandardCharsets.UTF_8);
    String[] first = text.split(" ", 3);
    int length =
        text.lines().filter(line -> line.toLowerCase(Locale.ROOT).startsWith("content-length:"))
            .mapToInt(line -> Integer.parseInt(line.substring(15).strip())).findFirst().orElse(0);
    byte[] body = in.readNBytes(length);
    return new Seen(first[0], first[1], text, length == 0 ? JSON.createObjectNode() : JSON.readTree(body));
  }

  @Override
  public void close() throws IOException {
    closed.countDown();
    server.close();
  }
}
