package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** One command. Stateless; used once by one thread. */
interface Command {

  /** The first word. */
  String name();

  /** One line for the list of commands. */
  String summary();

  /** What follows the options, a word for each, e.g. {@code RUN_DIR}; empty if nothing may. */
  String arguments();

  /** Fresh options, {@code --help} and {@code --verbose} left to the caller. */
  Options options();

  /** What the help says below the options. */
  String notes();

  /**
   * Does the work.
   *
   * @throws UsageException if options contradict each other
   */
  ExitCode run(CommandLine line, Terminal terminal);
}
