package ai.valetts.app;

import java.util.List;

/**
 * What became of it.
 *
 * @param lines for a person
 * @param good STATUS: whether there is a copy to go on from; true for everything else that ended well
 */
public record DriveResult(List<String> lines, boolean good) {
  public DriveResult {
    lines = List.copyOf(lines);
  }
}
