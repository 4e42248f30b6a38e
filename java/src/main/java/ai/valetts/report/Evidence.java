package ai.valetts.report;

import java.util.List;
import java.util.Map;

/**
 * What a rule found.
 *
 * @param numbers by the names under which the sentences ask for them; at least one
 * @param suggestions what could be changed
 */
record Evidence(Map<String, Object> numbers, List<Change> suggestions) {

  /**
   * A range for a key, before it is put into words.
   *
   * @param current null if the key has no value
   */
  record Change(String key, Double current, double low, double high, double confidence) {}
}
