package ai.valetts.app;

import java.nio.file.Path;
import java.util.List;

/**
 * What was spoken.
 *
 * @param speaker name of the speaker
 * @param checkpoint checkpoint the voice came from
 * @param spoken one entry per line of the request, in order
 */
public record SynthResult(String speaker, Path checkpoint, List<Spoken> spoken) {
  public SynthResult {
    spoken = List.copyOf(spoken);
  }

  /**
   * One written file.
   *
   * @param output the WAV file
   * @param audioSeconds its length
   * @param computeSeconds time it took, text included
   * @param phonemes how the text was read
   * @param unknownSymbols symbols of the text that the voice does not know; they were left out
   */
  public record Spoken(
      Path output, double audioSeconds, double computeSeconds, String phonemes, List<String> unknownSymbols) {}
}
