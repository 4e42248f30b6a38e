package ai.valetts.storage;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How the copying of a run stands, as {@code storage.json} in its folder tells it.
 *
 * @param location where the copies go
 * @param state {@code idle}, {@code copying} or {@code failing}
 * @param verifiedStep step of the last copy that was read back; null before the first
 * @param verifiedGeneration its name
 * @param verifiedAt when, ISO 8601
 * @param waitingStep step of the checkpoint that is being copied or waits for it; null if none does
 * @param problem what stands in the way; null if nothing does
 * @param failingSince since when, ISO 8601
 * @param space room in the store; null if unknown
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record SyncStatus(
    String location,
    String state,
    Long verifiedStep,
    String verifiedGeneration,
    String verifiedAt,
    Long waitingStep,
    String problem,
    String failingSince,
    Space space) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The status in a run's folder; empty when there is none that can be read. */
  public static Optional<SyncStatus> of(Path run) {
    try {
      return Optional.of(JSON.readValue(Files.readAllBytes(new RunPlaces(run).status()), SyncStatus.class));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  void write(Path file) throws IOException {
    RunPlaces.writeAtomically(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(this));
  }
}
