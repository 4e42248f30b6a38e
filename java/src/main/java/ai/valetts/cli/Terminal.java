package ai.valetts.cli;

import ai.valetts.app.Operations;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.function.Supplier;

/**
 * What a command reads from, writes to and works with.
 *
 * @param in what is piped in
 * @param out results
 * @param err notices and failures
 * @param operations opened only by commands that need the engine; the command closes it
 */
record Terminal(InputStream in, PrintStream out, PrintStream err, Supplier<Operations> operations) {}
