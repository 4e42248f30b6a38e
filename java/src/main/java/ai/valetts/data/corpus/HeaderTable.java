package ai.valetts.data.corpus;

import ai.valetts.config.DataConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Tables whose columns have names: Common Voice, Coqui, ValeTTS, and any other with a map in the configuration. Columns
 * that are not asked for are passed over.
 */
final class HeaderTable {
  private HeaderTable() {}

  /**
   * Where a format's columns are.
   *
   * @param quoted whether {@code "} quotes fields
   * @param text names to look for, the first there is wins
   * @param language column, or null
   * @param seconds column with the duration, or null
   * @param name column with the clip's name; null takes the recording's file name
   */
  record Layout(
      char delimiter,
      boolean quoted,
      String audio,
      List<String> text,
      String speaker,
      String language,
      String seconds,
      String name) {

    static final Layout COMMON_VOICE =
        new Layout('\t', false, "path", List.of("sentence"), "client_id", "locale", null, null);
    static final Layout COQUI = new Layout('|', true, "audio_file", List.of("text"), "speaker_name", null, null, null);
    static final Layout VALETTS =
        new Layout(
            ',', true, "audio_path", List.of("text_normalized", "text"), "speaker_id", "locale", "duration", null);

    /** The layout of a table that the configuration describes. */
    static Layout of(DataConfig.Columns columns, char delimiter, boolean quoted) {
      return new Layout(
          delimiter,
          quoted,
          columns.audio(),
          List.of(columns.text()),
          columns.speaker(),
          columns.language(),
          null,
          columns.name());
    }

    /** Whether a header names what the format cannot do without. */
    boolean fits(List<String> header) {
      List<String> names = header.stream().map(HeaderTable::plain).toList();
      return names.contains(audio) && text.stream().anyMatch(names::contains);
    }

    /** A table without a header is addressed by numbers from 1. */
    private boolean isNumbered() {
      return audio.matches("[1-9][0-9]?") && text.get(0).matches("[1-9][0-9]?");
    }
  }

  /** Places of the columns; -1 for one that is not there. */
  private record Places(int audio, int text, int speaker, int language, int seconds, int name, int width) {}

  /**
   * @throws CorpusException if a column that was asked for is not in the header
   */
  static List<CorpusRow> rows(MetadataText metadata, Layout layout, RowMaker maker) {
    List<DelimitedRecords.Record> records = DelimitedRecords.of(metadata, layout.delimiter, layout.quoted);
    List<CorpusRow> rows = new ArrayList<>();
    if (records.isEmpty()) {
      return rows;
    }
    DelimitedRecords.Record first = records.get(0);
    boolean numbered = layout.isNumbered();
    Places places = numbered ? numbered(layout, first.fields().size()) : named(layout, first.fields(), metadata.file());
    List<Finding> ofHeader = numbered ? List.of() : first.findings();
    for (DelimitedRecords.Record record : records.subList(numbered ? 0 : 1, records.size())) {
      List<Finding> findings = new ArrayList<>(rows.isEmpty() ? ofHeader : List.of());
      findings.addAll(record.findings());
      rows.add(row(record, findings, places, maker));
    }
    return rows;
  }

  private static Places named(Layout layout, List<String> header, Path file) {
    List<String> names = header.stream().map(HeaderTable::plain).toList();
    String text = layout.text.stream().filter(names::contains).findFirst().orElse(layout.text.get(0));
    return new Places(
        place(layout.audio, names, file),
        place(text, names, file),
        names.indexOf(layout.speaker),
        names.indexOf(layout.language),
        names.indexOf(layout.seconds),
        layout.name == null ? -1 : place(layout.name, names, file),
        names.size());
  }

  private static int place(String column, List<String> names, Path file) {
    int at = names.indexOf(column);
    if (at < 0) {
      throw missing(column, names, file);
    }
    return at;
  }

  private static CorpusException missing(String column, List<String> names, Path file) {
    return new CorpusException(
        file + ":1: there is no column \"" + column + "\"; there are: " + String.join(", ", names));
  }

  private static Places numbered(Layout layout, int width) {
    return new Places(
        number(layout.audio),
        number(layout.text.get(0)),
        number(layout.speaker),
        number(layout.language),
        -1,
        number(layout.name),
        width);
  }

  private static int number(String column) {
    return column == null ? -1 : Integer.parseInt(column) - 1;
  }

  static String plain(String name) {
    return name.strip();
  }

  private static CorpusRow row(DelimitedRecords.Record record, List<Finding> findings, Places places, RowMaker maker) {
    List<String> fields = record.fields();
    String audio = field(fields, places.audio);
    String name = places.name >= 0 ? field(fields, places.name) : withoutExtension(audio);
    if (record.isBroken()) {
      return maker.broken(record.line(), name, findings);
    }
    if (fields.size() != places.width) {
      findings.add(
          new Finding(
              Finding.Kind.BROKEN_ROW,
              "the row has "
                  + fields.size()
                  + (fields.size() == 1 ? " column" : " columns")
                  + " where the first has "
                  + places.width));
      return maker.broken(record.line(), name, findings);
    }
    return maker.row(
        record.line(),
        name,
        audio,
        field(fields, places.text),
        places.speaker < 0 ? null : field(fields, places.speaker),
        places.language < 0 ? null : field(fields, places.language),
        seconds(places.seconds < 0 ? "" : field(fields, places.seconds)),
        findings);
  }

  private static double seconds(String text) {
    try {
      double seconds = Double.parseDouble(text.strip());
      return Double.isFinite(seconds) && seconds > 0 ? seconds : 0;
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  private static String field(List<String> fields, int place) {
    return place < fields.size() ? fields.get(place) : "";
  }

  static String withoutExtension(String audio) {
    return audio.strip().replaceFirst("\\.[A-Za-z0-9]{2,4}$", "");
  }
}
