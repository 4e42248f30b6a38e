package ai.valetts.config;

/**
 * Where copies of the checkpoints go, so that they outlive this machine. Keys that are null take the value named here.
 *
 * @param location folder (mounted Drive, network or local), or {@code gdrive:FOLDER} for Google Drive's web interface;
 *     the run's copies lie in a folder of its name below it
 * @param keep verified copies kept, at least 2; null keeps 2
 * @param maxGib size of all copies of the run, in GiB, above which older ones go; two always stay; null is no limit
 * @param settleSeconds after which a copy is read back a second time before it counts; null waits 20
 * @param timeoutSeconds without an answer after which the store counts as dead; a transfer has more, by its size; null
 *     waits 120
 * @param finalPushMinutes that the last checkpoint has to get there when a run ends; null gives it 5
 * @param tensorboard whether TensorBoard's files travel with each copy; null leaves them out
 * @param credentials file with the authorised user of {@code gdrive:}; null takes the environment's or the usual place
 * @param apiUrl of Drive where a proxy stands between; null is Google's
 */
public record StorageConfig(
    String location,
    Integer keep,
    Double maxGib,
    Double settleSeconds,
    Double timeoutSeconds,
    Double finalPushMinutes,
    @Nullable Boolean tensorboard,
    @Nullable String credentials,
    @Nullable String apiUrl) {

  /** Copies of which at least so many stay whatever else is configured. */
  public static final int LEAST_KEPT = 2;

  /** What stands before the folder's name in the location of a store behind Drive's web interface. */
  public static final String DRIVE_SCHEME = "gdrive:";

  private static final double DEFAULT_SETTLE_SECONDS = 20;
  private static final double DEFAULT_TIMEOUT_SECONDS = 120;
  private static final double DEFAULT_FINAL_PUSH_MINUTES = 5;

  /** A place with everything else left to its default. */
  public static StorageConfig at(String location) {
    return new StorageConfig(location, null, null, null, null, null, null, null, null);
  }

  /** The same at another place. */
  public StorageConfig movedTo(String place) {
    return new StorageConfig(
        place, keep, maxGib, settleSeconds, timeoutSeconds, finalPushMinutes, tensorboard, credentials, apiUrl);
  }

  /** The same with the authorised user of that file. */
  public StorageConfig withCredentials(String file) {
    return new StorageConfig(
        location, keep, maxGib, settleSeconds, timeoutSeconds, finalPushMinutes, tensorboard, file, apiUrl);
  }

  /** Whether the place is behind Drive's web interface. */
  public boolean isDriveApi() {
    return location.startsWith(DRIVE_SCHEME);
  }

  /** Copies kept. */
  public int keptGenerations() {
    return keep == null ? LEAST_KEPT : Math.max(LEAST_KEPT, keep);
  }

  /** Bytes that all copies may have together. */
  public long maxBytes() {
    return maxGib == null ? Long.MAX_VALUE : (long) (maxGib * (1L << 30));
  }

  /** Seconds between the two readings of a copy. */
  public double settle() {
    return settleSeconds == null ? DEFAULT_SETTLE_SECONDS : settleSeconds;
  }

  /** Seconds without an answer. */
  public double timeout() {
    return timeoutSeconds == null ? DEFAULT_TIMEOUT_SECONDS : timeoutSeconds;
  }

  /** Minutes for the last push. */
  public double finalPush() {
    return finalPushMinutes == null ? DEFAULT_FINAL_PUSH_MINUTES : finalPushMinutes;
  }

  /** Whether TensorBoard's files travel too. */
  public boolean withTensorboard() {
    return Boolean.TRUE.equals(tensorboard);
  }
}
