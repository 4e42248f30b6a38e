package ai.valetts.data.corpus;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Lists without a header whose columns are separated by {@code |}: LJSpeech's {@code id|text} and {@code
 * id|text|normalized text}, Piper's {@code wav|text} and {@code wav|speaker|text}, VITS's {@code path|text} and {@code
 * path|speaker|text}. Quotation marks are characters of the text.
 */
final class PipeList {
  private static final int MAX_SPEAKER_LENGTH = 60;
  private static final int MAX_COLUMNS = 3;

  /** A row in ten may be damaged without hiding what the list is. */
  private static final double MOST = 0.9;

  private PipeList() {}

  /** What the columns hold. */
  enum Layout {
    TEXT("\"id|text\""),
    TEXT_NORMALIZED("\"id|text|normalized text\""),
    SPEAKER_TEXT("\"recording|speaker|text\"");

    private final String description;

    Layout(String description) {
      this.description = description;
    }

    String description() {
      return description;
    }
  }

  /** The layout that most rows have. */
  static Layout layout(MetadataText metadata) {
    int rows = 0;
    int three = 0;
    int named = 0;
    Set<String> second = new HashSet<>();
    for (MetadataText.Line line : metadata.lines()) {
      if (line.text().isBlank()) {
        continue;
      }
      rows++;
      String[] columns = line.text().split("\\|", -1);
      if (columns.length >= 3 && !columns[2].isBlank()) {
        three++;
        String middle = columns[1].strip();
        second.add(middle);
        if (!middle.isEmpty() && middle.length() <= MAX_SPEAKER_LENGTH && !middle.contains(" ")) {
          named++;
        }
      }
    }
    if (rows == 0 || three < rows * 0.5) {
      return Layout.TEXT;
    }
    // Names come again and are no sentences; raw texts are neither.
    boolean speakers = named >= MOST * three && (second.size() <= Math.max(1, three / 2));
    return speakers ? Layout.SPEAKER_TEXT : Layout.TEXT_NORMALIZED;
  }

  static List<CorpusRow> rows(MetadataText metadata, Layout layout, RowMaker maker) {
    List<CorpusRow> rows = new ArrayList<>();
    for (MetadataText.Line line : metadata.lines()) {
      if (!line.text().isBlank()) {
        rows.add(row(line, layout, maker));
      }
    }
    return rows;
  }

  private static CorpusRow row(MetadataText.Line line, Layout layout, RowMaker maker) {
    String[] columns = line.text().split("\\|", -1);
    String name = columns[0].strip();
    List<Finding> findings = new ArrayList<>(line.findings());
    int needed = layout == Layout.SPEAKER_TEXT ? 3 : 2;
    if (columns.length < needed || columns.length > MAX_COLUMNS) {
      findings.add(new Finding(Finding.Kind.BROKEN_ROW, wrongColumns(columns.length, needed, layout)));
      return maker.broken(line.number(), name, findings);
    }
    boolean third = layout == Layout.SPEAKER_TEXT || columns.length > 2 && !columns[2].isBlank();
    String text = unquoted(columns[third ? 2 : 1].strip(), findings);
    String speaker = layout == Layout.SPEAKER_TEXT ? columns[1] : null;
    return maker.row(line.number(), name, name, text, speaker, null, 0, findings);
  }

  private static String wrongColumns(int count, int needed, Layout layout) {
    if (count > MAX_COLUMNS) {
      return "the row has " + count + " columns, more than " + layout.description() + "; a text may hold no \"|\"";
    }
    return needed == 2
        ? "the row has no \"|\" between name and text"
        : "the row has " + count + " of the columns " + layout.description();
  }

  /** Undoes what a CSV writer does to a text with quotation marks in it. */
  private static String unquoted(String text, List<Finding> findings) {
    if (text.length() < 2 || !text.startsWith("\"") || !text.endsWith("\"")) {
      return text;
    }
    String inner = text.substring(1, text.length() - 1);
    if (inner.replace("\"\"", "").contains("\"") || !inner.contains("\"\"")) {
      return text;
    }
    findings.add(new Finding(Finding.Kind.QUOTATION_MARKS, "the text was in CSV quotation marks, which are taken off"));
    return inner.replace("\"\"", "\"");
  }
}
