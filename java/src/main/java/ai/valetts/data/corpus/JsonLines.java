package ai.valetts.data.corpus;

import ai.valetts.config.DataConfig;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;

/** A table of one JSON object in each line, with a map of its keys in the configuration. */
final class JsonLines {
  private static final ObjectMapper JSON = new ObjectMapper();

  private JsonLines() {}

  static List<CorpusRow> rows(MetadataText metadata, DataConfig.Columns columns, RowMaker maker) {
    List<CorpusRow> rows = new ArrayList<>();
    for (MetadataText.Line line : metadata.lines()) {
      if (!line.text().isBlank()) {
        rows.add(row(line, columns, maker));
      }
    }
    return rows;
  }

  private static CorpusRow row(MetadataText.Line line, DataConfig.Columns columns, RowMaker maker) {
    List<Finding> findings = new ArrayList<>(line.findings());
    JsonNode object;
    try {
      object = JSON.readTree(line.text());
    } catch (JsonProcessingException e) {
      findings.add(new Finding(Finding.Kind.BROKEN_ROW, "the line is not JSON: " + e.getOriginalMessage()));
      return maker.broken(line.number(), "", findings);
    }
    if (object == null || !object.isObject()) {
      findings.add(new Finding(Finding.Kind.BROKEN_ROW, "the line is no JSON object"));
      return maker.broken(line.number(), "", findings);
    }
    String audio = value(object, columns.audio());
    String name = columns.name() == null ? HeaderTable.withoutExtension(audio) : value(object, columns.name());
    for (String key : List.of(columns.audio(), columns.text())) {
      if (!object.hasNonNull(key)) {
        findings.add(new Finding(Finding.Kind.BROKEN_ROW, "the line has no \"" + key + "\""));
        return maker.broken(line.number(), name, findings);
      }
    }
    return maker.row(
        line.number(),
        name,
        audio,
        value(object, columns.text()),
        columns.speaker() == null ? null : value(object, columns.speaker()),
        columns.language() == null ? null : value(object, columns.language()),
        0,
        findings);
  }

  private static String value(JsonNode object, String key) {
    JsonNode value = object.get(key);
    return value == null || value.isNull() ? "" : value.asText();
  }
}
