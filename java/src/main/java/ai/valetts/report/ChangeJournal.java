package ai.valetts.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code changes.jsonl} of a run: every change of a setting that was proposed, carried out or taken back, one JSON object
 * a line, never rewritten. The process that trains writes it, anyone reads it. A torn line is passed over.
 */
public final class ChangeJournal {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;

  /** What became of a change. */
  public enum State {
    /** It waits for a person. */
    PROPOSED,
    /** The loop was asked to make it, and makes it before its next step. */
    MADE,
    /** The loop was asked to take it back. */
    REVERTED,
    /** A later proposal for the key took its place. */
    REPLACED
  }

  /**
   * One line.
   *
   * @param id {@code c1}, {@code c2}, ...
   * @param step steps completed
   * @param time ISO-8601 in UTC
   * @param from the value before
   * @param to the value after
   * @param source {@code rules}, or the model's id
   */
  public record Line(
      String id, State state, long step, String time, String key, double from, double to, String source, String reason) {

    Line with(State newState, long newStep, String newTime) {
      return new Line(id, newState, newStep, newTime, key, from, to, source, reason);
    }
  }

  public ChangeJournal(Path file) {
    this.file = file;
  }

  /** Every line that can be read, oldest first. */
  public List<Line> lines() throws IOException {
    List<Line> lines = new ArrayList<>();
    if (!Files.exists(file)) {
      return lines;
    }
    for (String text : new String(Files.readAllBytes(file), StandardCharsets.UTF_8).split("\n")) {
      try {
        Line line = text.isBlank() ? null : JSON.readValue(text, Line.class);
        if (line != null && line.id() != null && line.state() != null && line.key() != null) {
          lines.add(line);
        }
      } catch (JsonProcessingException e) {
        // Torn when the process was killed: what it was about to say did not happen.
        continue;
      }
    }
    return lines;
  }

  /** The newest line of each change, in the order of the changes. */
  public List<Line> changes() throws IOException {
    Map<String, Line> newest = new LinkedHashMap<>();
    lines().forEach(line -> newest.put(line.id(), line));
    return List.copyOf(newest.values());
  }

  /** The newest line of one change. */
  public Optional<Line> change(String id) throws IOException {
    return changes().stream().filter(line -> line.id().equals(id)).findFirst();
  }

  /** The values that changes have brought about, by key. */
  public Map<String, Double> inForce() throws IOException {
    Map<String, Double> values = new LinkedHashMap<>();
    for (Line line : lines()) {
      if (line.state() == State.MADE) {
        values.put(line.key(), line.to());
      } else if (line.state() == State.REVERTED) {
        values.put(line.key(), line.from());
      }
    }
    return values;
  }

  void append(Line line) throws IOException {
    String start = endsInsideALine() ? "\n" : "";
    Files.writeString(
        file, start + JSON.writeValueAsString(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private boolean endsInsideALine() throws IOException {
    if (!Files.exists(file) || Files.size(file) == 0) {
      return false;
    }
    byte[] bytes = Files.readAllBytes(file);
    return bytes[bytes.length - 1] != '\n';
  }

  /** An id that no line has. */
  String newId() throws IOException {
    long highest =
        lines().stream().map(Line::id).filter(id -> id.matches("c[0-9]{1,9}")).mapToLong(id -> Long.parseLong(id.substring(1)))
            .max().orElse(0);
    return "c" + (highest + 1);
  }
}
