package ai.valetts.app;

import java.nio.file.Path;
import java.util.List;

/**
 * An imported voice.
 *
 * @param folder where it lies; {@code synth}, {@code info} and {@code train --init-from} take it
 * @param weights what became of the file's tensors
 * @param remarks where settings come from, what was assumed, how text is read
 * @param speakers names in the order of their ids
 */
public record ImportResult(Path folder, List<Weights> weights, List<String> remarks, List<String> speakers) {
  public ImportResult {
    weights = List.copyOf(weights);
    remarks = List.copyOf(remarks);
    speakers = List.copyOf(speakers);
  }

  /**
   * What became of some tensors.
   *
   * @param outcome {@code loaded}, {@code resized}, {@code initialised} or {@code skipped}
   * @param part of which network
   * @param tensors how many
   * @param numbers elements in them
   * @param reason empty where there is nothing to say
   */
  public record Weights(String outcome, String part, int tensors, long numbers, String reason) {}
}
