package ai.valetts.storage;

/** A file of a store as its listing shows it. */
public record Blob(String name, long bytes) {}
