package ai.valetts.event;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A run begins or goes on.
 *
 * @param run the run's name
 * @param step steps completed before now; 0 for a new run
 * @param resumed whether it goes on from a checkpoint
 * @param device where the core computes
 * @param configText the resolved configuration as YAML
 * @param environment versions and sizes of what it runs on, by name, in an order to show them
 * @param validations that came before {@code step}, oldest first, without what they made to hear and to see
 */
public record RunStarted(
    String run,
    long step,
    boolean resumed,
    String device,
    String configText,
    Map<String, String> environment,
    List<ValidationCompleted> validations)
    implements RunEvent {
  public RunStarted {
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    validations = List.copyOf(validations);
  }

  /** Without earlier validations. */
  public RunStarted(
      String run, long step, boolean resumed, String device, String configText, Map<String, String> environment) {
    this(run, step, resumed, device, configText, environment, List.of());
  }

  /** Without a word about the environment. */
  public RunStarted(String run, long step, boolean resumed, String device, String configText) {
    this(run, step, resumed, device, configText, Map.of());
  }
}
