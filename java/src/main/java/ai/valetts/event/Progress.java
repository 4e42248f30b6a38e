package ai.valetts.event;

/**
 * How fast a run goes and how far it has come.
 *
 * @param stepsPerSecond of late, validation and checkpoints left out
 * @param utterancesPerSecond of late
 * @param audioHoursPerHour hours of recordings trained on in one hour of wall time, of late
 * @param trainedSeconds wall time of the loop over all resumes, validation and checkpoints included
 * @param fraction part of the limiting stop rule that is used up, 0 to 1; 0 without a limit
 * @param secondsToGo until the limiting stop rule ends the run, validation and checkpoints included; NaN without one
 * @param limit the limiting stop rule in words, e.g. {@code 10 minutes}; empty without one
 */
public record Progress(
    double stepsPerSecond,
    double utterancesPerSecond,
    double audioHoursPerHour,
    double trainedSeconds,
    double fraction,
    double secondsToGo,
    String limit) {}
