package ai.valetts.app;

import ai.valetts.config.ValettsConfig;
import java.nio.file.Path;

/**
 * Describe a run, a checkpoint or a configuration. Exactly one of {@code folder} and {@code config} is set.
 *
 * @param folder run or checkpoint folder, or null
 * @param config configuration whose networks are built at full size, or null. A null vocabulary takes the default
 *     symbol table's size; a null speaker count takes the number of distinct speakers in its sources, at least 1
 * @param step with {@code config}: also take one training step on noise of batch size and segment length, and report the
 *     memory it needed
 */
public record InfoRequest(Path folder, ValettsConfig config, boolean step) {
  public InfoRequest {
    if ((folder == null) == (config == null)) {
      throw new IllegalArgumentException("InfoRequest takes either a folder or a configuration");
    }
    if (step && config == null) {
      throw new IllegalArgumentException("InfoRequest takes a step only with a configuration");
    }
  }
}
