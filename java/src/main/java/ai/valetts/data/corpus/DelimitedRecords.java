package ai.valetts.data.corpus;

import java.util.ArrayList;
import java.util.List;

/**
 * The records of a delimited file. A general CSV reader gives up at the first unbalanced quotation mark or swallows the
 * file behind it; here that spoils one record, and each record knows its line.
 */
final class DelimitedRecords {
  /** A quoted text may run over lines; a longer run is a quotation mark that nobody closed. */
  private static final int MAX_LINES = 20;

  private DelimitedRecords() {}

  /**
   * @param line first line of the record, from 1
   * @param findings about its lines, and whether it is broken
   */
  record Record(int line, List<String> fields, List<Finding> findings) {
    boolean isBroken() {
      return findings.stream().anyMatch(finding -> finding.kind() == Finding.Kind.BROKEN_ROW);
    }
  }

  /**
   * Splits all lines that are not blank.
   *
   * @param quoted whether {@code "} quotes fields, as in RFC 4180; else it is a character like any other
   */
  static List<Record> of(MetadataText text, char delimiter, boolean quoted) {
    List<Record> records = new ArrayList<>();
    List<MetadataText.Line> lines = text.lines();
    int width = 0;
    int i = 0;
    while (i < lines.size()) {
      MetadataText.Line line = lines.get(i);
      if (line.text().isBlank()) {
        i++;
        continue;
      }
      List<Finding> findings = new ArrayList<>(line.findings());
      List<String> fields = split(line.text(), delimiter, quoted);
      int used = 1;
      if (fields == null) {
        StringBuilder joined = new StringBuilder(line.text());
        while (fields == null && used < MAX_LINES && i + used < lines.size()) {
          joined.append('\n').append(lines.get(i + used).text());
          used++;
          fields = split(joined.toString(), delimiter, true);
        }
        if (fields == null || width > 0 && fields.size() != width || !endsFieldsAtDelimiters(joined, delimiter)) {
          used = 1;
          fields = split(line.text(), delimiter, false);
          findings.add(new Finding(Finding.Kind.BROKEN_ROW, "a quotation mark is opened and never closed"));
        } else {
          for (int j = 1; j < used; j++) {
            findings.addAll(lines.get(i + j).findings());
          }
        }
      }
      if (width == 0) {
        width = fields.size();
      }
      records.add(new Record(line.number(), fields, findings));
      i += used;
    }
    return records;
  }

  /**
   * Whether every quoted field is followed by a delimiter or the end. Lines that were joined because of a stray quotation
   * mark meet the next row's opening one, and words follow it.
   */
  private static boolean endsFieldsAtDelimiters(CharSequence record, char delimiter) {
    boolean inside = false;
    boolean atStart = true;
    for (int i = 0; i < record.length(); i++) {
      char c = record.charAt(i);
      char next = i + 1 < record.length() ? record.charAt(i + 1) : delimiter;
      if (inside && c == '"' && next == '"') {
        i++;
      } else if (inside && c == '"') {
        if (next != delimiter) {
          return false;
        }
        inside = false;
      } else if (!inside) {
        inside = c == '"' && atStart;
        atStart = c == delimiter || atStart && Character.isWhitespace(c);
      }
    }
    return true;
  }

  /** The fields of one record; null if a quoted field does not end. */
  static List<String> split(String record, char delimiter, boolean quoted) {
    List<String> fields = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    boolean inside = false;
    for (int i = 0; i < record.length(); i++) {
      char c = record.charAt(i);
      if (inside) {
        if (c != '"') {
          field.append(c);
        } else if (i + 1 < record.length() && record.charAt(i + 1) == '"') {
          field.append(c);
          i++;
        } else {
          inside = false;
        }
      } else if (c == delimiter) {
        fields.add(field.toString());
        field.setLength(0);
      } else if (quoted && c == '"' && field.toString().isBlank()) {
        field.setLength(0);
        inside = true;
      } else {
        field.append(c);
      }
    }
    if (inside) {
      return null;
    }
    fields.add(field.toString());
    return fields;
  }
}
