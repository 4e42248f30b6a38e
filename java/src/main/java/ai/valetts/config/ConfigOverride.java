package ai.valetts.config;

/**
 * One key set from outside the YAML file.
 *
 * @param key dotted path, e.g. {@code model.hiddenChannels} or {@code data.sources[0].speaker}
 * @param value YAML, e.g. {@code 96}, {@code [8, 8, 4]} or {@code null}; Java's null where what the user typed has no value,
 *     which the loader refuses together with whatever else is wrong
 * @param origin what the user typed, for messages, e.g. {@code --set model.hiddenChannels=96}
 */
public record ConfigOverride(String key, String value, String origin) {

  /** An override as {@code --set} takes it: {@code a.b=c}, where c is YAML. Without {@code =} or key it has no value. */
  public static ConfigOverride parse(String assignment) {
    String origin = "--set " + assignment;
    int equals = assignment.indexOf('=');
    if (equals <= 0) {
      return new ConfigOverride(assignment, null, origin);
    }
    return new ConfigOverride(assignment.substring(0, equals).strip(), assignment.substring(equals + 1), origin);
  }

  /** An override whose value is taken literally as text, whatever characters it has. */
  public static ConfigOverride text(String key, String text, String origin) {
    return new ConfigOverride(key, quoted(text), origin);
  }

  /** The text as a double-quoted YAML scalar. */
  public static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> quoted.append("\\\"");
        case '\\' -> quoted.append("\\\\");
        default -> {
          if (c < 0x20) {
            quoted.append(String.format("\\x%02x", (int) c));
          } else {
            quoted.append(c);
          }
        }
      }
    }
    return quoted.append('"').toString();
  }
}
