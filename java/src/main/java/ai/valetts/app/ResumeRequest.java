package ai.valetts.app;

import ai.valetts.config.ConfigOverride;
import java.nio.file.Path;
import java.util.List;

/**
 * Continue a run.
 *
 * @param runDirectory folder of the run, with its {@code config.yaml}
 * @param overrides applied to that configuration; only keys that {@link ai.valetts.config.ConfigDifference} lets change
 *     during a run. Budgets are totals of the run, not additions
 */
public record ResumeRequest(Path runDirectory, List<ConfigOverride> overrides) {
  public ResumeRequest {
    overrides = List.copyOf(overrides);
  }
}
