package ai.valetts.report;

import ai.valetts.report.Report.Severity;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * One disease of a run and how to tell it. Where several rules see the same cause, {@link Rules} keeps the first.
 *
 * @param id names it in reports and in the sentences
 */
record Rule(String id, Severity severity, Function<RunSummary, Optional<Evidence>> check) {

  /** Numbers, and values already put into words, by name. */
  static Map<String, Object> numbers(Object... namesAndValues) {
    Map<String, Object> numbers = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      numbers.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return numbers;
  }
}
