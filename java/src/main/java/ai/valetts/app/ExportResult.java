package ai.valetts.app;

import java.nio.file.Path;
import java.util.List;

/**
 * An exported voice.
 *
 * @param checkpoint that was written
 * @param files that were made
 */
public record ExportResult(Path checkpoint, List<Path> files) {
  public ExportResult {
    files = List.copyOf(files);
  }
}
