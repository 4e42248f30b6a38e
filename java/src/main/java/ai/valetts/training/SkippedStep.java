package ai.valetts.training;

import java.util.List;

/**
 * A step that left a network as it was because something was not finite: what a person needs to find the recording at fault.
 *
 * @param step its 0-based number
 * @param reason in words
 * @param utterances of its batch
 * @param tokens symbols of each
 * @param samples of each
 * @param peaks largest absolute sample of each; NaN where one is not a number
 */
public record SkippedStep(
    long step, String reason, List<String> utterances, List<Integer> tokens, List<Integer> samples, List<Float> peaks) {

  SkippedStep because(String given) {
    return new SkippedStep(step, given, utterances, tokens, samples, peaks);
  }
}
