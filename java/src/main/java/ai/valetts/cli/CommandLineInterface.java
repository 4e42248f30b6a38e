package ai.valetts.cli;

import ai.valetts.app.ExitCode;
import ai.valetts.config.NearestName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;
import org.apache.commons.cli.help.HelpFormatter;
import org.apache.commons.cli.help.TextHelpAppendable;

/** Finds the command, parses its options, and turns whatever goes wrong into a sentence and an exit code. */
final class CommandLineInterface {
  private static final int HELP_COLUMNS = 100;
  private static final List<String> HELP_WORDS = List.of("help", "--help", "-h");

  private final Terminal terminal;
  private final Map<String, Command> commands = new LinkedHashMap<>();

  CommandLineInterface(Terminal terminal) {
    this.terminal = terminal;
    for (Command command :
        List.of(
            new TrainCommand(),
            new ResumeCommand(),
            new SynthCommand(),
            new PrepareCommand(),
            new TextCommand(),
            new ImportCommand(),
            new ExportCommand(),
            new InfoCommand(),
            new ProfileCommand(),
            new StatusCommand(),
            new ReportCommand(),
            new AdviseCommand(),
            new ApproveCommand(),
            new CheckpointCommand(),
            new ParityCommand(),
            new DriveCommand(),
            new DoctorCommand())) {
      commands.put(command.name(), command);
    }
  }

  /** The status for the process: that of the command, or with {@code --supervise} the child's. */
  int status(String... arguments) {
    if (!Supervision.isAsked(arguments)) {
      return run(arguments).code();
    }
    Command command = commands.get(arguments[0]);
    try {
      CommandLine line = parse(command, Arrays.copyOfRange(arguments, 1, arguments.length));
      return new Supervision(line, Arrays.asList(arguments)).run(terminal.err()::println);
    } catch (RuntimeException e) {
      return failed(command, e, false).code();
    }
  }

  ExitCode run(String... arguments) {
    if (arguments.length == 0) {
      terminal.err().print(overview());
      return ExitCode.USAGE;
    }
    String first = arguments[0];
    if (first.equals("--version") || first.equals("version")) {
      terminal.out().println("ValeTTS " + version());
      return ExitCode.DONE;
    }
    if (HELP_WORDS.contains(first)) {
      if (arguments.length == 1) {
        terminal.out().print(overview());
        return ExitCode.DONE;
      }
      first = arguments[1];
      arguments = new String[] {first, "--help"};
    }
    Command command = commands.get(first);
    if (command == null) {
      terminal
          .err()
          .println(
              "valetts: there is no command \""
                  + first
                  + "\"; did you mean "
                  + NearestName.of(first, commands.keySet())
                  + "? The commands are "
                  + String.join(", ", commands.keySet())
                  + ".");
      return ExitCode.USAGE;
    }
    return run(command, Arrays.copyOfRange(arguments, 1, arguments.length));
  }

  private ExitCode run(Command command, String[] arguments) {
    boolean verbose = Arrays.asList(arguments).contains("--verbose");
    try {
      if (Arrays.stream(arguments).anyMatch(argument -> argument.equals("--help") || argument.equals("-h"))) {
        terminal.out().print(help(command));
        return ExitCode.DONE;
      }
      CommandLine line = parse(command, arguments);
      return command.run(line, terminal);
    } catch (RuntimeException | OutOfMemoryError | LinkageError e) {
      return failed(command, e, verbose);
    }
  }

  private ExitCode failed(Command command, Throwable failure, boolean verbose) {
    if (failure instanceof UsageException) {
      terminal.err().println("valetts " + command.name() + ": " + failure.getMessage());
      terminal.err().println("See: valetts " + command.name() + " --help");
      return ExitCode.USAGE;
    }
    terminal.err().println("valetts " + command.name() + ": " + ExitCode.explain(failure));
    if (verbose) {
      failure.printStackTrace(terminal.err());
    }
    return ExitCode.of(failure);
  }

  private static CommandLine parse(Command command, String[] arguments) {
    Options options = allOptions(command);
    try {
      CommandLine line = DefaultParser.builder().setAllowPartialMatching(false).get().parse(options, textLast(command, options, arguments));
      int most = command.arguments().isEmpty() ? 0 : command.arguments().split(" ").length;
      if (line.getArgList().size() > most) {
        String extra = line.getArgList().get(most);
        throw new UsageException(
            "does not know what to do with \"" + extra + "\"" + (extra.startsWith("-") ? "" : "; an option begins with --"));
      }
      return line;
    } catch (UnrecognizedOptionException e) {
      String nearest =
          NearestName.of(
              e.getOption(), options.getOptions().stream().map(option -> "--" + option.getLongOpt()).toList());
      throw new UsageException("there is no option " + e.getOption() + "; did you mean " + nearest + "?");
    } catch (MissingArgumentException e) {
      Option option = e.getOption();
      throw new UsageException("--" + option.getLongOpt() + " takes a value: " + option.getArgName());
    } catch (ParseException e) {
      throw new UsageException(e.getMessage());
    }
  }

  /** A text that begins with a negative number is no option: it goes behind the mark that ends the options. */
  private static String[] textLast(Command command, Options options, String[] arguments) {
    List<String> given = new ArrayList<>(Arrays.asList(arguments));
    if (command.arguments().isEmpty() || command.arguments().contains(" ") || given.contains("--")) {
      return arguments;
    }
    for (int i = 0; i < given.size(); i++) {
      Option before = i == 0 ? null : options.getOption(given.get(i - 1));
      if (given.get(i).matches("(?s)-[.,]?\\d.*") && (before == null || !before.hasArg())) {
        String text = given.remove(i);
        given.addAll(List.of("--", text));
        break;
      }
    }
    return given.toArray(String[]::new);
  }

  private static Options allOptions(Command command) {
    Options options = command.options();
    options.addOption(Option.builder().longOpt("verbose").desc("print the full trace of a failure").get());
    options.addOption(Option.builder("h").longOpt("help").desc("print this").get());
    return options;
  }

  private String overview() {
    StringBuilder text = new StringBuilder("ValeTTS ").append(version()).append(": trains VITS2 voices.\n\n");
    text.append("usage: valetts COMMAND [options]   (or: java -jar valetts.jar COMMAND [options])\n\n");
    commands.forEach((name, command) -> text.append(String.format("  %-10s %s%n", name, command.summary())));
    text.append("\nvaletts COMMAND --help explains a command. A first run: valetts train --demo --minutes 10\n");
    return text.toString();
  }

  static String help(Command command) {
    StringBuilder text = new StringBuilder();
    TextHelpAppendable appendable = new TextHelpAppendable(text);
    appendable.setMaxWidth(HELP_COLUMNS);
    String syntax = "valetts " + command.name() + (command.arguments().isEmpty() ? "" : " " + command.arguments());
    try {
      HelpFormatter.builder()
          .setHelpAppendable(appendable)
          .setShowSince(false)
          // A sort that finds all options equal keeps their order.
          .setComparator((first, second) -> 0)
          .get()
          .printHelp(syntax + " [options]", command.summary(), allOptions(command), "", false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString().stripTrailing() + "\n\n" + command.notes().stripTrailing() + "\n";
  }

  private static String version() {
    String version = CommandLineInterface.class.getPackage().getImplementationVersion();
    return version == null ? "(development build)" : version;
  }
}
