package ai.valetts.storage.drive;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/** A server on this machine that speaks Drive v3 in its documented form, and fails when told. */
final class FakeDrive implements AutoCloseable {
  /** Something that goes wrong with the next request it fits. */
  record Fault(String method, String path, Act act, int status, String reason, String retryAfter) {
    enum Act {
      ANSWER,
      CUT,
      DRIP,
      SHORT,
      FLIP,
      SWALLOW
    }
  }

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern TERM = Pattern.compile("name = '((?:[^'\\\\]|\\\\.)*)'");
  private static final Pattern PARENT = Pattern.compile("'([^']*)' in parents");

  static final String FOLDER = "application/vnd.google-apps.folder";

  private final HttpServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  final Map<String, ObjectNode> files = new LinkedHashMap<>();
  final Map<String, byte[]> contents = new LinkedHashMap<>();
  private final Map<String, ObjectNode> sessions = new LinkedHashMap<>();
  private final Map<String, ByteArrayOutputStream> received = new LinkedHashMap<>();
  final Deque<Fault> faults = new ArrayDeque<>();
  final List<String> requests = new ArrayList<>();
  final List<String> deviceAnswers = new ArrayList<>();
  long uploadedBytes;
  int refreshes;
  boolean grantIsInvalid;
  boolean refuseEveryToken;
  long limitBytes = 1L << 34;
  long trashBytes = 5L << 20;
  private int ids;
  private String validToken = "";

  FakeDrive() throws IOException {
    // Small answers must not wait for the other side's acknowledgement.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::serve);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/";
  }

  synchronized void fail(String method, String path, int status, String reason, String retryAfter) {
    faults.add(new Fault(method, path, Fault.Act.ANSWER, status, reason, retryAfter));
  }

  synchronized void fail(String method, String path, Fault.Act act) {
    faults.add(new Fault(method, path, act, 0, "", null));
  }

  /** Tokens given out so far are worth nothing. */
  synchronized void expireTokens() {
    validToken = "none";
  }

  synchronized long count(String start) {
    return requests.stream().filter(request -> request.startsWith(start)).count();
  }

  private void serve(HttpExchange exchange) throws IOException {
    // Google's client reads contents under this prefix.
    String path = exchange.getRequestURI().getPath().replaceFirst("^/download/", "/");
    byte[] body;
    Fault fault = null;
    synchronized (this) {
      requests.add(exchange.getRequestMethod() + " " + path);
      for (Fault candidate : faults) {
        if (candidate.method().equals(exchange.getRequestMethod()) && path.contains(candidate.path())) {
          fault = candidate;
          break;
        }
      }
      if (fault != null) {
        faults.remove(fault);
      }
    }
    try (InputStream in = exchange.getRequestBody()) {
      if (fault != null && fault.act() == Fault.Act.CUT) {
        cut(exchange, path, in);
        return;
      }
      body = in.readAllBytes();
    }
    if ("gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"))) {
      body = new GZIPInputStream(new java.io.ByteArrayInputStream(body)).readAllBytes();
    }
    if (fault != null && fault.act() == Fault.Act.ANSWER) {
      if (fault.retryAfter() != null) {
        exchange.getResponseHeaders().add("Retry-After", fault.retryAfter());
      }
      answer(exchange, fault.status(), error(fault.status(), fault.reason()));
      return;
    }
    synchronized (this) {
      route(exchange, path, body, fault);
    }
  }

  /** Half of what comes is taken, then the line goes dead. */
  private synchronized void cut(HttpExchange exchange, String path, InputStream in) throws IOException {
    byte[] all = in.readAllBytes();
    ByteArrayOutputStream session = received.get(path);
    String range = exchange.getRequestHeaders().getFirst("Content-Range");
    if (session != null && range != null && !range.startsWith("bytes *")) {
      int half = all.length / 2;
      session.write(all, 0, half);
      uploadedBytes += half;
    }
    exchange.close();
  }

  private void route(HttpExchange exchange, String path, byte[] body, Fault fault) throws IOException {
    String method = exchange.getRequestMethod();
    if (path.equals("/token")) {
      token(exchange, new String(body, StandardCharsets.UTF_8));
      return;
    }
    if (path.equals("/device/code")) {
      answer(exchange, 200,
          "{\"device_code\":\"SECRET-DEVICE\",\"user_code\":\"ABCD-EFGH\",\"verification_url\":"
              + "\"https://www.google.com/device\",\"expires_in\":1800,\"interval\":5}");
      return;
    }
    if (refuseEveryToken || !("Bearer " + validToken).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
      answer(exchange, 401, error(401, "authError"));
    } else if (path.equals("/drive/v3/files") && method.equals("GET")) {
      answer(exchange, 200, list(query(exchange, "q")));
    } else if (path.equals("/drive/v3/files") && method.equals("POST")) {
      ObjectNode folder = (ObjectNode) JSON.readTree(body);
      answer(exchange, 200, add(folder, new byte[0]).toString());
    } else if (path.equals("/upload/drive/v3/files")) {
      String session = "/upload/session/" + ids++;
      sessions.put(session, (ObjectNode) JSON.readTree(body));
      received.put(session, new ByteArrayOutputStream());
      exchange.getResponseHeaders().add("Location", url().substring(0, url().length() - 1) + session);
      answer(exchange, 200, "");
    } else if (sessions.containsKey(path)) {
      upload(exchange, path, body, fault);
    } else if (path.equals("/drive/v3/about")) {
      long used = contents.values().stream().mapToLong(content -> content.length).sum() + trashBytes;
      answer(exchange, 200, "{\"storageQuota\":{\"limit\":\"" + limitBytes + "\",\"usage\":\"" + used
          + "\",\"usageInDrive\":\"" + used + "\",\"usageInDriveTrash\":\"" + trashBytes + "\"}}");
    } else if (path.startsWith("/drive/v3/files/") && files.containsKey(path.substring("/drive/v3/files/".length()))) {
      String id = path.substring("/drive/v3/files/".length());
      if (method.equals("DELETE")) {
        files.remove(id);
        contents.remove(id);
        exchange.sendResponseHeaders(204, -1);
        exchange.close();
      } else {
        download(exchange, contents.get(id), fault);
      }
    } else {
      answer(exchange, 404, error(404, "notFound"));
    }
  }

  private void token(HttpExchange exchange, String form) throws IOException {
    if (form.contains("device_code")) {
      String answer = deviceAnswers.remove(0);
      answer(exchange, answer.contains("error") ? 428 : 200, answer);
      return;
    }
    refreshes++;
    if (grantIsInvalid) {
      answer(exchange, 400, "{\"error\":\"invalid_grant\",\"error_description\":\"Token has been expired or revoked.\"}");
      return;
    }
    validToken = "SECRET-ACCESS-" + refreshes;
    answer(exchange, 200,
        "{\"access_token\":\"" + validToken + "\",\"expires_in\":3599,\"token_type\":\"Bearer\",\"scope\":\"x\"}");
  }

  private String list(String q) {
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode found = answer.putArray("files");
    Matcher parent = PARENT.matcher(q);
    String wanted = parent.find() ? parent.group(1) : "";
    Matcher name = TERM.matcher(q);
    String named = name.find() ? name.group(1).replace("\\'", "'") : null;
    for (ObjectNode file : files.values()) {
      boolean folder = file.path("mimeType").asText().equals(FOLDER);
      if (file.path("parents").path(0).asText().equals(wanted)
          && (named == null || file.path("name").asText().equals(named))
          && (!q.contains("mimeType = ") || folder)
          && (!q.contains("mimeType != ") || !folder)) {
        found.add(file);
      }
    }
    return answer.toString();
  }

  ObjectNode add(ObjectNode metadata, byte[] content) {
    String id = "id" + ids++;
    ObjectNode file = metadata.deepCopy();
    file.put("id", id);
    if (!file.path("mimeType").asText().equals(FOLDER)) {
      contents.put(id, content);
      describe(file, content);
    }
    files.put(id, file);
    return file;
  }

  static void describe(ObjectNode file, byte[] content) {
    file.put("size", String.valueOf(content.length));
    file.put("md5Checksum", digest("MD5", content));
    file.put("sha256Checksum", digest("SHA-256", content));
  }

  private static String digest(String algorithm, byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private void upload(HttpExchange exchange, String path, byte[] body, Fault fault) throws IOException {
    ByteArrayOutputStream session = received.get(path);
    String range = exchange.getRequestHeaders().getFirst("Content-Range");
    Matcher form = Pattern.compile("bytes (?:\\*|(\\d+)-(\\d+))/(\\d+)").matcher(range == null ? "" : range);
    if (!form.matches()) {
      answer(exchange, 400, error(400, "badRange"));
      return;
    }
    if (form.group(1) != null) {
      if (Long.parseLong(form.group(1)) != session.size()) {
        answer(exchange, 400, error(400, "wrongOffset"));
        return;
      }
      session.write(body);
      uploadedBytes += body.length;
    }
    if (session.size() < Long.parseLong(form.group(3))) {
      if (session.size() > 0) {
        exchange.getResponseHeaders().add("Range", "bytes=0-" + (session.size() - 1));
      }
      exchange.sendResponseHeaders(308, -1);
      exchange.close();
      return;
    }
    byte[] content = session.toByteArray();
    if (fault != null && fault.act() == Fault.Act.FLIP && content.length > 0) {
      content[content.length / 2] ^= 1;
    }
    ObjectNode file = add(sessions.get(path), content);
    if (fault != null && fault.act() == Fault.Act.SWALLOW) {
      files.remove(file.get("id").asText());
      contents.remove(file.get("id").asText());
    }
    answer(exchange, 200, file.toString());
  }

  private void download(HttpExchange exchange, byte[] content, Fault fault) throws IOException {
    exchange.sendResponseHeaders(200, content.length == 0 ? -1 : content.length);
    try (OutputStream out = exchange.getResponseBody()) {
      if (fault != null && fault.act() == Fault.Act.SHORT) {
        out.write(content, 0, content.length / 2);
        out.flush();
        exchange.close();
      } else if (fault != null && fault.act() == Fault.Act.DRIP) {
        for (byte value : content) {
          out.write(value);
          out.flush();
          Thread.sleep(2);
        }
      } else {
        out.write(content);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      // The client hung up, as a drip deserves.
    }
  }

  private static String query(HttpExchange exchange, String name) {
    return Arrays.stream(String.valueOf(exchange.getRequestURI().getRawQuery()).split("&"))
        .filter(pair -> pair.startsWith(name + "="))
        .map(pair -> URLDecoder.decode(pair.substring(name.length() + 1), StandardCharsets.UTF_8))
        .findFirst()
        .orElse("");
  }

  private static String error(int status, String reason) {
    return "{\"error\":{\"code\":" + status + ",\"message\":\"told so\",\"errors\":[{\"domain\":\"usageLimits\",\"reason\":\""
        + reason + "\",\"message\":\"told so\"}]}}";
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().add("Content-Type", "application/json; charset=UTF-8");
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) {
      exchange.getResponseBody().write(bytes);
    }
    exchange.close();
  }

  /** The metadata of a file of that name. */
  synchronized JsonNode file(String name) {
    return files.values().stream().filter(file -> file.path("name").asText().equals(name)).findFirst().orElseThrow();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
