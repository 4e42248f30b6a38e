package ai.valetts.app;

import ai.valetts.config.ConfigOverride;
import java.nio.file.Path;
import java.util.List;

/**
 * Continue a run.
 *
 * @param runDirectory folder of the run, with its {@code config.yaml}; with {@code fromDrive} null takes {@code runs/} and
 *     the run's name
 * @param overrides applied to that configuration; only keys that {@link ai.valetts.config.ConfigDifference} lets change
 *     during a run. Budgets are totals of the run, not additions
 * @param fromDrive whether the newest copy that verifies is fetched first
 * @param location of the copies, as in {@code storage.location}, or the run's own folder in it; null takes the one that the
 *     local configuration names
 */
public record ResumeRequest(Path runDirectory, List<ConfigOverride> overrides, boolean fromDrive, String location) {
  public ResumeRequest {
    overrides = List.copyOf(overrides);
  }

  /** Continue a run that is here. */
  public ResumeRequest(Path runDirectory, List<ConfigOverride> overrides) {
    this(runDirectory, overrides, false, null);
  }
}
