package ai.valetts.app;

import java.nio.file.Path;

/**
 * Make a report on a run from its files, also while it goes on.
 *
 * @param runDirectory folder of the run
 * @param language {@code pt}, {@code en} or {@code es}; null takes the configuration's
 * @param offline by rules alone, without asking a model
 */
public record AdviseRequest(Path runDirectory, String language, boolean offline) {}
