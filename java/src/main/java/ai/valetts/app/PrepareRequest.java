package ai.valetts.app;

import ai.valetts.config.ValettsConfig;
import java.util.List;

/**
 * Prepare data without training.
 *
 * @param config every key resolved
 * @param demoLanguages as in {@link TrainRequest}
 */
public record PrepareRequest(ValettsConfig config, List<String> demoLanguages) {
  public PrepareRequest {
    demoLanguages = List.copyOf(demoLanguages);
  }
}
