package ai.valetts.report.llm;

import ai.valetts.config.ReportConfig;
import ai.valetts.report.Measure;
import ai.valetts.report.Report;
import ai.valetts.report.ReportSchema;
import ai.valetts.report.ReportTexts;
import ai.valetts.report.RuleBasedReport;
import ai.valetts.report.RunSummary;
import ai.valetts.report.Trend;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a model is sent: instructions in the language of the report, and {@link RunSummary} with what the rules found. The
 * summary holds numbers, settings and shortened notices, nothing of the recordings; {@code docs/reports.md} lists it.
 */
final class Prompt {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final MathContext DIGITS = new MathContext(4);

  /** What we fill in ourselves. */
  private static final List<String> OURS = List.of("step", "createdAt", "language", "source");

  /** Words of a schema that not every model's provider takes; the answer is checked against the whole schema. */
  private static final Set<String> NOT_EVERYWHERE =
      Set.of("$schema", "title", "minimum", "maximum", "minLength", "maxLength", "maxItems", "pattern");

  private Prompt() {}

  /** The schema of an answer, without the words that providers refuse. */
  static ObjectNode answerSchema(ReportSchema schema) {
    try {
      ObjectNode whole = (ObjectNode) JSON.readTree(schema.text());
      ((ObjectNode) whole.get("properties")).remove(OURS);
      ArrayNode required = JSON.createArrayNode();
      whole.get("required").forEach(name -> {
        if (!OURS.contains(name.asText())) {
          required.add(name);
        }
      });
      whole.set("required", required);
      return (ObjectNode) portable(whole, false);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The schema is no JSON", e);
    }
  }

  /**
   * @param names whether the keys of this object are names of fields, not words of the schema
   */
  private static JsonNode portable(JsonNode node, boolean names) {
    if (node instanceof ObjectNode object) {
      ObjectNode kept = JSON.createObjectNode();
      object.properties().forEach(entry -> {
        if (names || !NOT_EVERYWHERE.contains(entry.getKey())) {
          kept.set(entry.getKey(), portable(entry.getValue(), !names && entry.getKey().equals("properties")));
        }
      });
      // A type is demanded beside an enumeration.
      if (!names && kept.has("enum") && !kept.has("type")) {
        kept.put("type", "string");
      }
      return kept;
    }
    return node;
  }

  /** The instructions. */
  static String system(String language) {
    return new ReportTexts(language).get("prompt.system");
  }

  /** The facts, as JSON. */
  static String facts(RunSummary run, List<ReportConfig.Change> changes) {
    ObjectNode facts = JSON.createObjectNode();
    facts.put("step", run.step());
    facts.put("epoch", run.epoch());
    facts.set("hours", number(run.trainedSeconds() / 3600));
    facts.put("starts", run.starts());
    facts.put("device", run.device());
    facts.set("batchesPerEpoch", number(run.stepsPerEpoch()));
    facts.put("skippedSteps", run.skippedSteps());
    facts.put("recentSkippedSteps", run.recentSkippedSteps());
    facts.put("recentSteps", run.recentSteps());
    facts.set("training", measures(run.measures()));
    facts.set("heldOut", measures(run.validation()));
    ArrayNode found = facts.putArray("foundByRules");
    for (Report.Problem problem : RuleBasedReport.of(run, new ReportTexts("en"), "").problems()) {
      found.addObject().put("id", problem.id()).put("evidence", problem.evidence());
    }
    ArrayNode notices = facts.putArray("latestNotices");
    run.notices().forEach(notice -> notices.addObject()
        .put("step", notice.step())
        .put("warning", notice.warning())
        .put("text", notice.text()));
    facts.set("config", JSON.valueToTree(run.config()));
    ArrayNode allowed = facts.putArray("keysThatCanChangeDuringTheRun");
    changes.forEach(change -> allowed.addObject()
        .put("key", change.key())
        .put("least", change.least())
        .put("most", change.most())
        .put("maxFactor", change.maxFactor()));
    return facts.toString();
  }

  private static ObjectNode measures(Map<String, Measure> measures) {
    ObjectNode all = JSON.createObjectNode();
    measures.forEach((tag, measure) -> {
      // The parts of single discriminators say little and are many.
      if (!tag.matches("loss/(g|d_r|d_g)/[0-9]+")) {
        ObjectNode one = all.putObject(tag);
        one.set("began", number(measure.whole().first()));
        one.set("best", number(measure.best()));
        one.put("bestStep", measure.bestStep());
        one.set("changeInLastQuarter", number(measure.lateChange()));
        one.set("recent", trend(measure.recent()));
      }
    });
    return all;
  }

  private static ObjectNode trend(Trend trend) {
    ObjectNode node = JSON.createObjectNode();
    node.put("fromStep", trend.fromStep());
    node.put("points", trend.points());
    node.set("mean", number(trend.mean()));
    node.set("last", number(trend.last()));
    node.set("min", number(trend.min()));
    node.set("max", number(trend.max()));
    node.set("slopePer1000Steps", number(trend.slopePerThousandSteps()));
    node.set("volatility", number(trend.volatility()));
    return node;
  }

  /** Four digits are enough to judge by. */
  private static JsonNode number(double value) {
    return Double.isFinite(value)
        ? JSON.getNodeFactory().numberNode(new BigDecimal(value).round(DIGITS).doubleValue())
        : JSON.nullNode();
  }
}
