package ai.valetts.config;

/**
 * Where progress is shown. A section that is null is off.
 *
 * @param logEverySteps steps between console lines and TensorBoard scalars
 * @param tensorboard write TensorBoard event files into the run's {@code tensorboard} folder
 * @param histograms write histograms into them as well; null is no
 * @param wandb write a Weights &amp; Biases run into the run's {@code wandb} folder
 */
public record MonitorConfig(
    int logEverySteps, boolean tensorboard, @Nullable Boolean histograms, @Nullable Wandb wandb) {

  /**
   * Weights &amp; Biases.
   *
   * @param project the run belongs to
   * @param entity user or team that owns the project; null takes the key's own
   * @param upload hand the files to the official client while the run goes on, where it is installed and a key is set
   */
  public record Wandb(String project, @Nullable String entity, boolean upload) {}
}
