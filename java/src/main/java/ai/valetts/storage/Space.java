package ai.valetts.storage;

import java.util.OptionalLong;

/**
 * How much room a store has. What it does not tell is null.
 *
 * @param limitBytes of the whole account or disk
 * @param usedBytes of that, trash included
 * @param trashBytes of the used ones, freed by emptying the trash
 */
public record Space(Long limitBytes, Long usedBytes, Long trashBytes) {
  /** Nothing is known. */
  public static final Space UNKNOWN = new Space(null, null, null);

  /** Bytes that still fit. */
  public OptionalLong freeBytes() {
    return limitBytes == null || usedBytes == null
        ? OptionalLong.empty()
        : OptionalLong.of(Math.max(0, limitBytes - usedBytes));
  }
}
