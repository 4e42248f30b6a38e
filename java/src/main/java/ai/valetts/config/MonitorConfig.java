package ai.valetts.config;

/**
 * Where progress is shown.
 *
 * @param logEverySteps steps between console lines and TensorBoard scalars
 * @param tensorboard write TensorBoard event files into the run's {@code tensorboard} folder
 */
public record MonitorConfig(int logEverySteps, boolean tensorboard) {}
