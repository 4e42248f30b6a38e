package ai.valetts.app;

import java.nio.file.Path;

/**
 * Decide on a change that a report proposed for a run.
 *
 * @param runDirectory folder of the run
 * @param id of the change; null only lists them
 * @param revert whether a change that was made is to be taken back
 */
public record ApproveRequest(Path runDirectory, String id, boolean revert) {
  public ApproveRequest {
    if (revert && id == null) {
      throw new IllegalArgumentException("ApproveRequest takes back a change only by its id");
    }
  }
}
