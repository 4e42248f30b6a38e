package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The settings that come with a public checkpoint: VITS's or Piper's {@code config.json}, and the
 * {@code hyper_parameters} inside a Lightning file. Values are looked up by dotted path, the file beside the checkpoint
 * first.
 */
final class PublicConfig {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long MAX_FILE_BYTES = 16 << 20;
  private static final int MAX_DEPTH = 20;

  private final List<JsonNode> sources;

  private PublicConfig(List<JsonNode> sources) {
    this.sources = sources;
  }

  /**
   * @param file JSON beside the checkpoint, or null
   * @param settings what the checkpoint itself holds beside its weights
   * @throws CheckpointException if the file is no JSON object
   */
  static PublicConfig read(Path file, Map<String, Object> settings) {
    List<JsonNode> sources = new ArrayList<>();
    if (file != null) {
      sources.add(object(file));
    }
    Object embedded = settings.get("config");
    if (embedded instanceof String text) {
      try {
        sources.add(JSON.readTree(text));
      } catch (IOException e) {
        throw new CheckpointException("The config among the file's texts is not JSON.", e);
      }
    }
    if (settings.get("hyper_parameters") instanceof Map<?, ?> hyperParameters) {
      sources.add(JSON.valueToTree(plain(hyperParameters, MAX_DEPTH)));
    }
    return new PublicConfig(sources);
  }

  private static JsonNode object(Path file) {
    try {
      if (Files.size(file) > MAX_FILE_BYTES) {
        throw new CheckpointException(file + " is too large for a configuration.");
      }
      JsonNode node = JSON.readTree(Files.readString(file));
      if (!node.isObject()) {
        throw new CheckpointException(file + " is no configuration: it holds no JSON object.");
      }
      return node;
    } catch (IOException e) {
      throw new CheckpointException(file + " is no configuration that can be read: it is not JSON.", e);
    }
  }

  /** Numbers, text and their lists and maps; whatever else a pickle held is left out. */
  private static Object plain(Object value, int depth) {
    if (value instanceof String || value instanceof Boolean || value instanceof Number && !(value instanceof BigInteger)) {
      return value;
    }
    if (depth > 0 && value instanceof List<?> list) {
      return list.stream().map(item -> plain(item, depth - 1)).toList().stream().filter(item -> item != null).toList();
    }
    if (depth > 0 && value instanceof Map<?, ?> map) {
      Map<String, Object> plain = new LinkedHashMap<>();
      map.forEach((key, item) -> plain.put(String.valueOf(key), plain(item, depth - 1)));
      return plain;
    }
    return null;
  }

  /** The value at the first of the paths that is there and not null. */
  JsonNode at(String... paths) {
    for (JsonNode source : sources) {
      for (String path : paths) {
        JsonNode node = source;
        for (String name : path.split("\\.")) {
          node = node.path(name);
        }
        if (!node.isMissingNode() && !node.isNull()) {
          return node;
        }
      }
    }
    return MissingNode.getInstance();
  }

  boolean has(String path) {
    return !at(path).isMissingNode();
  }

  Optional<Integer> integer(String... paths) {
    JsonNode node = at(paths);
    return node.canConvertToInt() && node.isNumber() || node.isTextual() && node.asText().matches("[0-9]{1,9}")
        ? Optional.of(node.asInt())
        : Optional.empty();
  }

  Optional<Double> number(String... paths) {
    JsonNode node = at(paths);
    return node.isNumber() ? Optional.of(node.asDouble()) : Optional.empty();
  }

  Optional<String> text(String... paths) {
    JsonNode node = at(paths);
    return node.isTextual() ? Optional.of(node.asText()) : Optional.empty();
  }

  Optional<Boolean> flag(String... paths) {
    JsonNode node = at(paths);
    return node.isBoolean() ? Optional.of(node.asBoolean()) : Optional.empty();
  }

  /** A list of whole numbers, possibly written as text such as {@code (8, 8, 4)}. */
  Optional<List<Integer>> integers(String... paths) {
    return list(at(paths)).map(PublicConfig::integers);
  }

  /** A list of such lists. */
  Optional<List<List<Integer>>> integerLists(String... paths) {
    return list(at(paths)).map(node -> {
      List<List<Integer>> lists = new ArrayList<>();
      node.forEach(item -> lists.add(integers(item)));
      return lists;
    });
  }

  private static Optional<JsonNode> list(JsonNode node) {
    if (node.isTextual()) {
      try {
        String json = node.asText().replace('(', '[').replace(')', ']').replaceAll(",\\s*]", "]");
        return Optional.of(JSON.readTree(json)).filter(JsonNode::isArray);
      } catch (IOException e) {
        return Optional.empty();
      }
    }
    return Optional.of(node).filter(JsonNode::isArray);
  }

  private static List<Integer> integers(JsonNode node) {
    List<Integer> numbers = new ArrayList<>();
    node.forEach(item -> numbers.add(item.asInt()));
    return numbers;
  }
}
