package ai.valetts.app;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;

/**
 * Where a run stands. Numbers that are not known are null.
 *
 * @param run its name
 * @param folder where it is
 * @param state whether a process trains it, and how the last one ended
 * @param reason why it ended; empty while it goes on
 * @param step steps completed, as far as was written down
 * @param epoch 0-based
 * @param limit what ends it, in words, e.g. {@code 10 minutes}; empty without a limit
 * @param fraction of the limit that is used up, 0 to 1
 * @param secondsToGo until the limit
 * @param trainedSeconds over all starts
 * @param starts how often it was started
 * @param device where it computes
 * @param writtenAt when its newest line was written, ISO-8601
 * @param losses of the newest step, the generator's total first
 * @param measures speed and machine of the newest step, by tag
 * @param validation the newest; null before the first
 * @param best the one with the least {@code val/mel_l1}; null without one
 * @param checkpoint the newest that is there; null without one
 * @param checkpoints how many are there
 * @param warnings the newest, oldest first
 * @param warningCount all of them
 * @param missedSteps steps that no monitor heard of
 * @param damagedLines lines of the journal that could not be read
 */
public record StatusResult(
    String run,
    String folder,
    State state,
    String reason,
    long step,
    int epoch,
    String limit,
    Double fraction,
    Double secondsToGo,
    double trainedSeconds,
    int starts,
    String device,
    String writtenAt,
    List<Loss> losses,
    Map<String, Double> measures,
    Validation validation,
    Validation best,
    SavedState checkpoint,
    int checkpoints,
    List<Warning> warnings,
    int warningCount,
    long missedSteps,
    long damagedLines) {

  /** Whether a process trains it, and how the last one ended. */
  public enum State {
    /** A process on this machine trains it. */
    RUNNING,
    /** It reached a limit or was asked to stop. */
    ENDED,
    /** It ended by an error. */
    FAILED,
    /** Its process is gone without a word. */
    KILLED,
    /** It has not taken its first step. */
    NOT_BEGUN
  }

  /**
   * A loss.
   *
   * @param now of the newest step; null where it is not finite
   * @param trend change of the newest tenth of the curve against the tenth before, as a share; null where too little is
   *     known
   */
  public record Loss(String tag, Double now, Double trend) {}

  /** A validation's measurements by tag. */
  public record Validation(long step, Map<String, Double> scalars) {}

  /**
   * A checkpoint.
   *
   * @param directory from the run's folder
   */
  public record SavedState(long step, String directory, long bytes, String savedAt) {}

  /** A warning and when it came. */
  public record Warning(long step, String text) {}

  /** As JSON, for programs. */
  public String toJson() {
    try {
      return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a status is always expressible as JSON", e);
    }
  }
}
