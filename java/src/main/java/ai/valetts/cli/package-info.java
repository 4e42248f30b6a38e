/**
 * The command line: one class per command, chosen by the first word. Parses, calls {@code app}, prints. Every failure
 * becomes one clear sentence and a documented exit code.
 */
package ai.valetts.cli;
