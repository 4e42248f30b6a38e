package ai.valetts.data.corpus;

import java.nio.file.Path;
import java.util.List;

/**
 * One row of a corpus.
 *
 * @param metadataFile file that lists it
 * @param line line there, from 1
 * @param name what the corpus calls the clip
 * @param audioFile its recording, absolute; null if there is none, which {@code findings} explain
 * @param text what is said; empty if the row is unusable
 * @param speaker speaker the row names; null where the format has none
 * @param language language the row names; null where the format has none
 * @param statedSeconds duration the row states; 0 where it states none
 * @param findings what is to be said of the row; any bad one makes it unusable
 */
public record CorpusRow(
    Path metadataFile,
    int line,
    String name,
    Path audioFile,
    String text,
    String speaker,
    String language,
    double statedSeconds,
    List<Finding> findings) {
  public CorpusRow {
    findings = List.copyOf(findings);
  }

  /** Whether a finding forbids its use. */
  public boolean isBad() {
    return findings.stream().anyMatch(finding -> finding.kind().weight() == Finding.Weight.BAD);
  }
}
