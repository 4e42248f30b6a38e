package ai.valetts.app;

import java.nio.file.Path;

/**
 * Look after the copies of a run.
 *
 * @param runDirectory folder of the run; null if only the copies are meant
 * @param location as in {@code storage.location}, or the run's own folder in it; null takes the one that the run's
 *     configuration names
 * @param verify STATUS: read every copy back
 * @param keep CLEAN: copies to keep; null takes the configuration's
 * @param dryRun CLEAN: only tell
 * @param client LOGIN: file of the OAuth client
 * @param credentials file of the authorised user; null takes the usual one
 */
public record DriveRequest(
    Action action,
    Path runDirectory,
    String location,
    boolean verify,
    Integer keep,
    boolean dryRun,
    Path client,
    Path credentials) {

  /** What to do. */
  public enum Action {
    /** Tell what is there. */
    STATUS,
    /** Copy the newest local checkpoint now. */
    PUSH,
    /** Fetch the newest copy that verifies. */
    PULL,
    /** Remove superfluous copies. */
    CLEAN,
    /** Authorise this machine. */
    LOGIN
  }
}
