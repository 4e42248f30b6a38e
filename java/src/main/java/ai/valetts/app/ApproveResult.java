package ai.valetts.app;

import java.util.List;

/**
 * The changes of a run.
 *
 * @param changes each in a line, oldest first
 * @param decision what was left for the run; empty if the changes were only listed
 */
public record ApproveResult(List<String> changes, String decision) {
  public ApproveResult {
    changes = List.copyOf(changes);
  }
}
