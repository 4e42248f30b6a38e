package ai.valetts.config;

import java.util.List;

/** Everything that is wrong with a configuration, reported together. */
public final class ConfigException extends RuntimeException {
  private final transient List<String> problems;

  /**
   * @param origin file or option the configuration came from
   * @param problems one sentence each, naming the key and how to mend it
   */
  public ConfigException(String origin, List<String> problems) {
    super(withoutKeys(origin + ":\n  " + String.join("\n  ", problems)));
    this.problems = problems.stream().map(ConfigException::withoutKeys).toList();
  }

  /** An API key in a wrong place is refused like anything else, but messages end up in logs and must not repeat it. */
  private static String withoutKeys(String text) {
    return text.replaceAll("\\bsk-[A-Za-z0-9_-]{6,}", "sk-...");
  }

  public List<String> problems() {
    return problems;
  }
}
