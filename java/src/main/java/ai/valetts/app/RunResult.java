package ai.valetts.app;

import java.nio.file.Path;

/**
 * How a run ended.
 *
 * @param runDirectory folder of the run
 * @param step steps taken since the run began, all resumes included
 * @param epoch epochs begun, counted from 0
 * @param trainedSeconds time inside the loop since the run began, all resumes included
 * @param reason one phrase, e.g. {@code time budget of 10 minutes reached}
 * @param interrupted whether a request to stop ended it
 * @param checkpoint newest checkpoint folder
 */
public record RunResult(
    Path runDirectory,
    long step,
    int epoch,
    double trainedSeconds,
    String reason,
    boolean interrupted,
    Path checkpoint) {}
