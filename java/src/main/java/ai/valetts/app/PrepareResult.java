package ai.valetts.app;

import java.nio.file.Path;

/**
 * What preparation found.
 *
 * @param report the report for a person, several lines, every unusable row with its file, line and reason
 * @param reportFile the same as JSON
 * @param reportPage the same with charts, for a browser
 * @param usableClips clips to train on or validate with
 * @param badClips rows at fault
 * @param leftOutClips sound rows outside the configured lengths
 * @param refusal why a run would refuse this data; null if it would start
 */
public record PrepareResult(
    String report, Path reportFile, Path reportPage, int usableClips, int badClips, int leftOutClips, String refusal) {}
