package ai.valetts.config;

/**
 * How text becomes symbol ids.
 *
 * @param frontEnd {@code auto} (espeak-ng when it is installed, else characters), {@code espeak} or {@code characters}
 * @param language espeak-ng voice used where a data source names none, e.g. {@code pt-br}
 * @param addBlank put the blank id between all symbols, as VITS and Piper do; VITS2 does not
 * @param maxSymbols longest accepted text, in symbols
 */
public record TextConfig(String frontEnd, String language, boolean addBlank, int maxSymbols) {}
