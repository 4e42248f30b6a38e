package ai.valetts.config;

/**
 * What the machine costs and how long it is there.
 *
 * @param usdPerHour price of the machine; null for none or {@code unitsPerHour}
 * @param unitsPerHour compute units that the machine takes, as on Colab
 * @param usdPerUnit price of a compute unit; null is Colab's
 * @param sessionHours after which the machine goes away; null is Colab's on Colab, else never
 * @param maxUsd the run saves and ends before its hours in the loop, all resumes counted, cost more
 * @param stopAfterHours the run saves and leaves before the session is so old
 */
public record CostConfig(
    @Nullable Double usdPerHour,
    @Nullable Double unitsPerHour,
    @Nullable Double usdPerUnit,
    @Nullable Double sessionHours,
    @Nullable Double maxUsd,
    @Nullable Double stopAfterHours) {
  /** Knows nothing. */
  public static final CostConfig NONE = new CostConfig(null, null, null, null, null, null);
}
