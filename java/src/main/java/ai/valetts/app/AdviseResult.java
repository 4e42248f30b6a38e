package ai.valetts.app;

import java.nio.file.Path;

/**
 * A report that was made.
 *
 * @param file its JSON; the same in Markdown lies beside it
 * @param markdown the report for reading
 * @param source {@code rules} or the model's id
 */
public record AdviseResult(Path file, String markdown, String source) {}
