package ai.valetts.interchange;

/**
 * What became of some tensors of one network.
 *
 * @param outcome {@code loaded}, {@code resized}, {@code initialised} or {@code skipped}
 * @param part of the network, e.g. {@code dec}
 * @param tensors how many
 * @param numbers elements in them
 * @param reason empty where there is nothing to say
 */
public record ReportLine(String outcome, String part, int tensors, long numbers, String reason) {
  static final String LOADED = "loaded";
  static final String RESIZED = "resized";
  static final String INITIALISED = "initialised";
  static final String SKIPPED = "skipped";
}
