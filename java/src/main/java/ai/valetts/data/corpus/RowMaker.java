package ai.valetts.data.corpus;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Makes rows out of what a format found in a line, with the checks that all formats share. */
final class RowMaker {
  /** What tables write for "we do not know". */
  private static final Set<String> NOBODY = Set.of("", "unknown", "<unk>", "none", "null", "nan", "n/a", "na", "?", "-");

  private final Path metadataFile;
  private final RecordingFinder finder;

  RowMaker(Path metadataFile, RecordingFinder finder) {
    this.metadataFile = metadataFile;
    this.finder = finder;
  }

  /** A row that cannot be read further than its name. */
  CorpusRow broken(int line, String name, List<Finding> findings) {
    return new CorpusRow(metadataFile, line, name, null, "", null, null, 0, findings);
  }

  static void checkText(String text, List<Finding> findings) {
    if (findings.stream().anyMatch(finding -> finding.kind() == Finding.Kind.WRONG_ENCODING)) {
      return;
    }
    if (text.isEmpty()) {
      findings.add(new Finding(Finding.Kind.EMPTY_TEXT, "the text is empty"));
    }
    if (text.indexOf('\t') >= 0) {
      findings.add(new Finding(Finding.Kind.TAB_IN_TEXT, "the text holds a tab, which is read as a space"));
    }
    if (text.chars().filter(c -> c == '"').count() % 2 == 1) {
      findings.add(new Finding(Finding.Kind.QUOTATION_MARKS, "the text has a quotation mark without its partner"));
    }
  }

  /**
   * @param audio recording as the row names it
   * @param speaker null where the format has no speakers
   * @param lineFindings what is known already
   */
  CorpusRow row(
      int line,
      String name,
      String audio,
      String text,
      String speaker,
      String language,
      double statedSeconds,
      List<Finding> lineFindings) {
    List<Finding> findings = new ArrayList<>(lineFindings);
    String spoken = text.strip();
    checkText(spoken, findings);
    if (speaker != null && NOBODY.contains(speaker.strip().toLowerCase(Locale.ROOT))) {
      findings.add(
          new Finding(
              Finding.Kind.UNKNOWN_SPEAKER,
              speaker.isBlank() ? "the row names no speaker" : "the row's speaker is \"" + speaker.strip() + "\""));
    }
    Optional<Path> recording = finder.find(audio);
    if (recording.isEmpty()) {
      findings.add(
          new Finding(
              Finding.Kind.MISSING_AUDIO,
              audio.isBlank() ? "the row names no recording" : "there is no recording " + audio.strip()));
    }
    return new CorpusRow(
        metadataFile,
        line,
        name.strip(),
        recording.orElse(null),
        spoken,
        speaker == null ? null : speaker.strip(),
        language == null || language.isBlank() ? null : language.strip(),
        statedSeconds,
        findings);
  }
}
