package ai.valetts.text;

/**
 * A text of a data set, for a front end that learns its symbols from what it will read.
 *
 * @param language as for {@link TextFrontEnd#words}
 */
public record SampleText(String text, String language) {}
