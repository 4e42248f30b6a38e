package ai.valetts.report;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where a run stands, in a size that does not grow with the run's length. Holds no path, no name of a speaker or
 * utterance and no text of the recordings.
 *
 * @param step newest step in the record
 * @param epoch 0-based
 * @param trainedSeconds wall time of the loop over all resumes
 * @param starts how often the run was started, resumes included
 * @param device where the core computes
 * @param measures training measurements by TensorBoard tag
 * @param validation held-out measurements by TensorBoard tag
 * @param skippedSteps steps left out for a loss that was not finite
 * @param recentSkippedSteps those among {@code recentSteps}
 * @param recentSteps steps that the recent trends reach back
 * @param stepsPerEpoch batches in an epoch; 0 before the second epoch
 * @param notices newest warnings and notices, oldest first, shortened
 * @param config keys that matter for training, with their values
 * @param unreadableLines lines of the record that were torn or unknown
 */
public record RunSummary(
    long step,
    int epoch,
    double trainedSeconds,
    int starts,
    String device,
    Map<String, Measure> measures,
    Map<String, Measure> validation,
    long skippedSteps,
    long recentSkippedSteps,
    long recentSteps,
    double stepsPerEpoch,
    List<NoticeLine> notices,
    Map<String, Object> config,
    int unreadableLines) {

  /**
   * Something a person was told.
   *
   * @param warning whether it stood out
   */
  public record NoticeLine(long step, boolean warning, String text) {}

  Optional<Measure> measure(String tag) {
    return Optional.ofNullable(measures.get(tag));
  }

  Optional<Measure> held(String tag) {
    return Optional.ofNullable(validation.get(tag));
  }

  /** A number of the configuration; empty if it is null or unknown. */
  Optional<Double> number(String key) {
    return config.get(key) instanceof Number number ? Optional.of(number.doubleValue()) : Optional.empty();
  }
}
