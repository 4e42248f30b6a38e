package ai.valetts.app;

import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import java.nio.file.Path;
import java.util.List;

/**
 * Take training steps and tell where their time goes. Exactly one of {@code config} and {@code runDirectory} is set.
 *
 * @param config whose networks are trained; its recordings are the batches, or noise where it names none
 * @param runDirectory a run whose configuration and recordings are taken; its weights are not
 * @param overrides of the run's configuration
 * @param demoLanguages languages of demo recordings to add to the sources; empty for none
 * @param clipSeconds length of each clip of noise, above 0
 * @param warmUpSteps taken before, not profiled; at least 0
 * @param steps profiled, at least 1
 * @param trace where the last step goes as a Chrome trace; null for nowhere
 * @param quiet whether nothing is told meanwhile
 */
public record ProfileRequest(
    ValettsConfig config,
    Path runDirectory,
    List<ConfigOverride> overrides,
    List<String> demoLanguages,
    double clipSeconds,
    int warmUpSteps,
    int steps,
    Path trace,
    boolean quiet) {
  public ProfileRequest {
    if ((config == null) == (runDirectory == null)) {
      throw new IllegalArgumentException("ProfileRequest takes either a configuration or a run");
    }
    if (!(clipSeconds > 0) || warmUpSteps < 0 || steps < 1) {
      throw new IllegalArgumentException("ProfileRequest takes clips of some length and at least one step");
    }
    overrides = List.copyOf(overrides);
    demoLanguages = List.copyOf(demoLanguages);
  }
}
