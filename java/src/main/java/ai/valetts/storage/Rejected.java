package ai.valetts.storage;

/**
 * A generation that cannot be used.
 *
 * @param reason sentence that names the file
 */
public record Rejected(GenerationName name, String reason) {}
