package ai.valetts.app;

import java.util.List;

/**
 * A description in sections, for a person to read.
 *
 * @param sections in the order to show them
 */
public record InfoResult(List<Section> sections) {
  public InfoResult {
    sections = List.copyOf(sections);
  }

  /**
   * A titled table.
   *
   * @param title e.g. {@code Parameters}
   * @param rows in order
   */
  public record Section(String title, List<Row> rows) {
    public Section {
      rows = List.copyOf(rows);
    }
  }

  /**
   * One line of a table.
   *
   * @param name what it is
   * @param value formatted, with its unit; counts with thousands separated by commas
   */
  public record Row(String name, String value) {}
}
