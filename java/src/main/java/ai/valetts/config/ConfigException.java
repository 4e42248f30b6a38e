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
    super(origin + ":\n  " + String.join("\n  ", problems));
    this.problems = List.copyOf(problems);
  }

  public List<String> problems() {
    return problems;
  }
}
