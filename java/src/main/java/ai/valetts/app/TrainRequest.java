package ai.valetts.app;

import ai.valetts.config.ValettsConfig;
import java.nio.file.Path;
import java.util.List;

/**
 * Start a run.
 *
 * <p>If {@code runDirectory} already holds a checkpoint, the run continues when
 * {@link ai.valetts.config.ConfigDifference#refused} finds nothing between its configuration and this one, and is
 * refused with those keys otherwise.
 *
 * @param config every key resolved; {@code data.sources} is empty when {@code demoLanguages} is not
 * @param runDirectory folder of the run; created if missing
 * @param demoLanguages languages of the demo recordings to fetch and train on, some of {@link ValeTts#demoLanguages()}; empty to train on
 *     {@code config.data.sources}
 * @param initFrom run, checkpoint or public checkpoint file whose weights the run begins with, or null for new weights.
 *     A run that goes on keeps its own; it must have begun with the same
 * @param partial with {@code initFrom}: take what fits and start the rest fresh
 */
public record TrainRequest(
    ValettsConfig config, Path runDirectory, List<String> demoLanguages, Path initFrom, boolean partial) {
  public TrainRequest {
    demoLanguages = List.copyOf(demoLanguages);
    if (partial && initFrom == null) {
      throw new IllegalArgumentException("TrainRequest is partial only with initial weights");
    }
  }

  /** A run with new weights. */
  public TrainRequest(ValettsConfig config, Path runDirectory, List<String> demoLanguages) {
    this(config, runDirectory, demoLanguages, null, false);
  }
}
