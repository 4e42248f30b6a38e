package ai.valetts.report;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The format of a report, {@code report-schema.json}, and the check against it. Thread-safe. */
public final class ReportSchema {
  private static final int MAX_PROBLEMS = 5;

  private final String text;
  private final Schema schema;

  /** Reads the schema that travels inside the jar. */
  public ReportSchema() {
    try (InputStream stream = ReportSchema.class.getResourceAsStream("report-schema.json")) {
      text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("report-schema.json cannot be read from the jar", e);
    }
    schema = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12).getSchema(text, InputFormat.JSON);
  }

  /** The schema itself, JSON. */
  public String text() {
    return text;
  }

  /**
   * What is wrong with a report, at most a few sentences; empty when it is right.
   *
   * @param json JSON that can be parsed
   */
  public List<String> problems(String json) {
    return schema.validate(json, InputFormat.JSON).stream()
        .limit(MAX_PROBLEMS)
        .map(error -> error.getInstanceLocation() + ": " + error.getMessage())
        .toList();
  }
}
