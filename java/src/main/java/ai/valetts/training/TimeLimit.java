package ai.valetts.training;

/**
 * An end to a run beside those of its configuration, for instance of its budget or of the machine.
 *
 * @param name for people, e.g. {@code 20 USD}
 * @param seconds wall time of the loop over all resumes, as {@code training.maxMinutes} counts it
 */
public record TimeLimit(String name, double seconds) {}
