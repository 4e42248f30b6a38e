package ai.valetts.report.llm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** An API key that does not show itself. Immutable. */
public final class Secret {
  /** The environment variable that holds the key. */
  public static final String VARIABLE = "OPENROUTER_API_KEY";

  private static final String HIDDEN = "(key)";
  private static final int MIN_CHARACTERS = 8;

  private final String value;

  /**
   * @param value the key
   * @throws IllegalArgumentException if it cannot be one; the message does not hold it
   */
  public Secret(String value) {
    // A header refuses other characters with a message that quotes them.
    if (!value.matches("[!-~]{" + MIN_CHARACTERS + ",500}")) {
      throw new IllegalArgumentException(
          "the OpenRouter key is not one: it takes " + MIN_CHARACTERS + " to 500 letters, digits and signs without blanks");
    }
    this.value = value;
  }

  /**
   * The key of {@link #VARIABLE}, else the first line of a file.
   *
   * @param keyFile null for none
   * @throws IllegalArgumentException if the file cannot be read or holds no key
   */
  public static Optional<Secret> find(Map<String, String> environment, String keyFile) {
    String given = environment.getOrDefault(VARIABLE, "").strip();
    if (!given.isEmpty()) {
      return Optional.of(new Secret(given));
    }
    if (keyFile == null) {
      return Optional.empty();
    }
    try (Stream<String> lines = Files.lines(Path.of(keyFile))) {
      return lines.findFirst().map(String::strip).filter(line -> !line.isEmpty()).map(Secret::new);
    } catch (IOException | UncheckedIOException e) {
      throw new IllegalArgumentException("report.llm.keyFile " + keyFile + " cannot be read as text");
    }
  }

  /** The value of the {@code Authorization} header. */
  String bearer() {
    return "Bearer " + value;
  }

  /** The text without the key. */
  public String redact(String text) {
    return text == null ? null : text.replace(value, HIDDEN);
  }

  /** The tree without the key, however it was escaped. */
  JsonNode redact(JsonNode node) {
    if (node.isTextual()) {
      return TextNode.valueOf(redact(node.textValue()));
    }
    if (node instanceof ObjectNode object) {
      List<Map.Entry<String, JsonNode>> entries = new ArrayList<>(object.properties());
      ObjectNode clean = object.objectNode();
      entries.forEach(entry -> clean.set(redact(entry.getKey()), redact(entry.getValue())));
      return clean;
    }
    if (node instanceof ArrayNode array) {
      ArrayNode clean = array.arrayNode();
      array.forEach(item -> clean.add(redact(item)));
      return clean;
    }
    return node;
  }

  @Override
  public String toString() {
    return HIDDEN;
  }
}
