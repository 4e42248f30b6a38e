package ai.valetts.data;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Speaker names and their ids: a name's place in the sorted list. Saved with each checkpoint, since an embedding row
 * belongs to a person.
 *
 * @param names sorted, without doubles
 * @param languages espeak-ng voice of each, in the order of the names; empty if not known
 */
public record Speakers(
    @JsonProperty("speakers") List<String> names, @JsonProperty("languages") List<String> languages) {
  private static final ObjectMapper JSON = new ObjectMapper();

  public Speakers {
    names = names == null ? List.of() : List.copyOf(new TreeSet<>(names));
    languages = languages == null || languages.size() != names.size() ? List.of() : List.copyOf(languages);
  }

  public static Speakers of(Collection<String> names) {
    return new Speakers(List.copyOf(names), List.of());
  }

  /** Speakers with the language that each speaks. */
  public static Speakers of(Map<String, String> languages) {
    TreeMap<String, String> sorted = new TreeMap<>(languages);
    return new Speakers(List.copyOf(sorted.keySet()), List.copyOf(sorted.values()));
  }

  /** The language of a speaker, where it is known. */
  public Optional<String> languageOf(String name) {
    return languages.isEmpty() ? Optional.empty() : Optional.of(languages.get(idOf(name)));
  }

  public int size() {
    return names.size();
  }

  /**
   * Id of a speaker.
   *
   * @throws DataException naming the speakers there are
   */
  public int idOf(String name) {
    int id = Collections.binarySearch(names, name);
    if (id < 0) {
      throw new DataException("there is no speaker \"" + name + "\"; there are: " + String.join(", ", names));
    }
    return id;
  }

  public String nameOf(int id) {
    return names.get(id);
  }

  public void write(Path file) throws IOException {
    Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(this));
  }

  /**
   * Reads a file written by {@link #write}.
   *
   * @throws DataException if it is not such a file
   */
  public static Speakers read(Path file) throws IOException {
    try {
      Speakers speakers = JSON.readValue(Files.readString(file), Speakers.class);
      if (speakers == null || speakers.names.isEmpty()) {
        throw new DataException(file + " lists no speakers");
      }
      return speakers;
    } catch (JsonProcessingException e) {
      throw new DataException(file + " is not a list of speakers: " + e.getOriginalMessage(), e);
    }
  }
}
