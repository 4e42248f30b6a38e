package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.config.NearestName;
import ai.valetts.text.Reading;
import ai.valetts.text.SymbolTable;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Finds out how a public voice reads: which cleaner, which symbol has which id. */
final class SymbolSource {
  private static final ObjectMapper JSON = new ObjectMapper();

  private SymbolSource() {}

  /**
   * @param origin name of the checkpoint
   * @param piper whether Piper trained it
   * @param chosen reading that the user names, or null
   * @throws CheckpointException if the settings name a reading that cannot be reproduced, or none
   */
  static Reading reading(String origin, PublicConfig config, boolean piper, String chosen) {
    if (chosen != null) {
      return Reading.named(chosen)
          .orElseThrow(() -> new CheckpointException("--text-front-end takes one of "
              + String.join(", ", Reading.names()) + "; found " + chosen + ", did you mean "
              + NearestName.of(chosen, Reading.names()) + "?"));
    }
    String names = String.join(", ", Reading.names());
    if (piper) {
      refuse(config.at("vowel_clusters").size() > 0, origin, "merges the vowels of vowel_clusters", names);
      String type = config.text("phoneme_type").orElse("espeak");
      refuse(!type.equals("espeak") && !type.equals("text"), origin, "reads text by the phoneme type " + type, names);
      if (!config.has("phoneme_id_map")) {
        throw new CheckpointException(origin + " is a Piper checkpoint, and its voice's .json file does not lie beside it:"
            + " import it with that file as --config, for its symbols and its language.");
      }
      return type.equals("text") ? Reading.PIPER_TEXT : Reading.PIPER_ESPEAK;
    }
    JsonNode cleaners = config.at("data.text_cleaners", "text_cleaners");
    if (cleaners.size() != 1) {
      throw new CheckpointException(origin + " comes with " + (cleaners.isEmpty() ? "no text_cleaners" : "several text_cleaners")
          + ", so that it is not known how it reads: import it with its config.json as --config, or with one of " + names
          + " as --text-front-end.");
    }
    String cleaner = cleaners.get(0).asText();
    refuse(
        Reading.named(cleaner).filter(reading -> !reading.isPiper()).isEmpty(),
        origin, "reads text by the cleaner " + cleaner, names);
    return Reading.named(cleaner).orElseThrow();
  }

  private static void refuse(boolean impossible, String origin, String what, String names) {
    if (impossible) {
      throw new CheckpointException(origin + " " + what + ", which cannot be reproduced here. With --text-front-end symbols"
          + " it takes text that is already written in its symbols; others are " + names + ".");
    }
  }

  /**
   * The symbol table.
   *
   * @param rows of the voice's embedding
   * @param file that the user names, or null
   * @throws CheckpointException if there is none of that size
   */
  static SymbolTable table(String origin, PublicConfig config, Reading reading, int rows, Path file) {
    if (file != null) {
      return SymbolTable.imported(reading, rows, symbols(node(file), file.toString()));
    }
    if (config.has("phoneme_id_map")) {
      return SymbolTable.imported(reading, rows, symbols(config.at("phoneme_id_map"), "phoneme_id_map"));
    }
    if (config.at("symbols").isContainerNode()) {
      return SymbolTable.imported(reading, rows, symbols(config.at("symbols"), "symbols"));
    }
    List<String> known = reading.isPiper() ? SymbolTable.piper().symbols() : SymbolTable.vitsSymbols();
    if (reading.isPiper() ? rows < known.size() : rows != known.size()) {
      throw new CheckpointException(origin + " has " + rows + " symbols, the program's own table has " + known.size()
          + ": import it with a JSON list of the voice's symbols in the order of their ids as --symbols.");
    }
    return SymbolTable.imported(reading, rows, known);
  }

  private static JsonNode node(Path file) {
    try {
      JsonNode node = JSON.readTree(Files.readString(file));
      return node.has("symbols") ? node.get("symbols") : node;
    } catch (IOException e) {
      throw new CheckpointException(file + " is no list of symbols: it is not JSON.", e);
    }
  }

  /** A list in the order of the ids, or ids by symbol, each alone or in a list of its own as Piper writes them. */
  private static List<String> symbols(JsonNode node, String origin) {
    List<String> byId = new ArrayList<>();
    if (node.isArray()) {
      node.forEach(symbol -> byId.add(symbol.isTextual() ? symbol.asText() : null));
      return byId;
    }
    if (!node.isObject()) {
      throw new CheckpointException(origin + " is no list of symbols.");
    }
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      JsonNode ids = entry.getValue();
      JsonNode id = ids.isArray() && ids.size() == 1 ? ids.get(0) : ids;
      if (!id.isIntegralNumber() || id.asLong() < 0 || id.asLong() > 65_535) {
        throw new CheckpointException(origin + " gives \"" + entry.getKey() + "\" the ids " + ids
            + "; one id from 0 to 65535 is needed for each symbol.");
      }
      while (byId.size() <= id.asInt()) {
        byId.add(null);
      }
      byId.set(id.asInt(), entry.getKey());
    }
    return byId;
  }

  /** Speaker names in the order of their rows; made-up names where none are known. */
  static List<String> speakers(PublicConfig config, int rows, Path file) {
    String[] names = new String[rows];
    JsonNode node = file == null ? config.at("speaker_id_map", "speakers", "data.speakers", "data.spk2id") : node(file);
    if (node.isArray() && !node.isEmpty()) {
      for (int i = 0; i < node.size(); i++) {
        put(names, i, node.get(i).asText());
      }
    } else if (node.isObject() && !node.isEmpty()) {
      node.properties().forEach(entry -> put(names, entry.getValue().asLong(-1), entry.getKey()));
    } else if (file != null) {
      throw new CheckpointException(file + " is no list of speakers: it needs a JSON list of names, or ids by name.");
    } else if (rows == 1) {
      put(names, 0, config.text("dataset").filter(name -> !name.isBlank()).orElse("speaker"));
    }
    int digits = String.valueOf(Math.max(0, rows - 1)).length();
    for (int i = 0; i < rows; i++) {
      if (names[i] == null) {
        names[i] = "speaker" + "0".repeat(digits - String.valueOf(i).length()) + i;
      }
    }
    if (Arrays.stream(names).distinct().count() < rows) {
      throw new CheckpointException("Two speakers have the same name among " + String.join(", ", names) + ".");
    }
    return List.of(names);
  }

  private static void put(String[] names, long id, String name) {
    if (id < 0 || id >= names.length) {
      throw new CheckpointException("The speaker \"" + name + "\" has the id " + id + ", but the voice has "
          + names.length + (names.length == 1 ? " speaker." : " speakers."));
    }
    names[(int) id] = name;
  }
}
