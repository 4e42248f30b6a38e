package ai.valetts.cli;

import ai.valetts.app.Places;
import ai.valetts.app.Supervisor;
import java.io.File;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.commons.cli.CommandLine;

/** {@code --supervise}: the same command, without that option, in a process that is started again when it crashes. */
final class Supervision {
  private static final String SUPERVISE = "--supervise";
  private static final String MAX_RESTARTS = "--max-restarts";
  private static final String FROM_DRIVE = "--from-drive";
  private static final int USUAL_RESTARTS = 5;

  private final CommandLine line;
  private final List<String> arguments;

  /**
   * @param line the parsed options of {@code train} or {@code resume}
   * @param arguments the words they were parsed from, the command first
   */
  Supervision(CommandLine line, List<String> arguments) {
    this.line = line;
    this.arguments = List.copyOf(arguments);
  }

  /** Whether the words ask for it. */
  static boolean isAsked(String[] arguments) {
    List<String> words = Arrays.asList(arguments);
    return words.size() > 1
        && List.of("train", "resume").contains(words.get(0))
        && words.contains(SUPERVISE)
        && words.stream().noneMatch(word -> word.equals("--help") || word.equals("-h"));
  }

  /** Runs until the child ends for good; returns its status. */
  int run(Consumer<String> notice) {
    int most = maxRestarts();
    Path folder = folder();
    List<String> java = javaCommand();
    Charset charset = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
    for (String word : arguments) {
      if (!charset.newEncoder().canEncode(word)) {
        throw new UsageException("\"" + word + "\" cannot be handed on under this locale; first: export LC_ALL=C.UTF-8");
      }
    }
    Map<String, String> environment = new HashMap<>(System.getenv());
    Supervisor.tellSession(environment);
    return new Supervisor(most, folder, notice).run(restart -> {
      List<String> command = new ArrayList<>(java);
      command.addAll(childArguments(restart));
      ProcessBuilder child = new ProcessBuilder(command).inheritIO();
      child.environment().putAll(environment);
      return child.start();
    });
  }

  /** What the child is called with; a restarted one does not fetch again what lies here by now. */
  List<String> childArguments(int restart) {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < arguments.size(); i++) {
      String word = arguments.get(i);
      if (word.equals(MAX_RESTARTS)) {
        i++;
      } else if (restart > 0 && word.equals(FROM_DRIVE)) {
        i += i + 1 < arguments.size() && arguments.get(i + 1).equals(line.getOptionValue("from-drive")) ? 1 : 0;
      } else if (!word.equals(SUPERVISE)
          && !word.startsWith(MAX_RESTARTS + "=")
          && !(restart > 0 && word.startsWith(FROM_DRIVE + "="))) {
        words.add(word);
      }
    }
    return words;
  }

  private int maxRestarts() {
    String text = line.getOptionValue("max-restarts", String.valueOf(USUAL_RESTARTS));
    if (!text.matches("[0-9]{1,6}")) {
      throw new UsageException(MAX_RESTARTS + " takes a whole number from 0, found \"" + text + "\"");
    }
    return Integer.parseInt(text);
  }

  /** Where the child's checkpoints will lie. */
  Path folder() {
    if (arguments.get(0).equals("resume")) {
      if (line.getArgList().isEmpty()) {
        throw new UsageException(SUPERVISE + " takes the folder of the run: resume runs/NAME --from-drive LOCATION");
      }
      return Path.of(line.getArgList().get(0));
    }
    if (line.hasOption("run")) {
      return Path.of(line.getOptionValue("run"));
    }
    return Places.runFolder(line.hasOption("name") ? line.getOptionValue("name") : RunOptions.config(line).name());
  }

  /** This Java with its options, up to where the arguments begin. */
  private List<String> javaCommand() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    String classPath = System.getProperty("java.class.path");
    String[] words = ProcessHandle.current().info().arguments().orElse(new String[0]);
    for (int i = 0; i < words.length && words[i].startsWith("-") && !words[i].equals("-jar"); i++) {
      boolean takesValue = List.of("-cp", "-classpath", "--class-path", "--add-opens", "--add-modules").contains(words[i]);
      if (words[i].startsWith("-cp") || words[i].startsWith("-classpath") || words[i].startsWith("--class-path")) {
        i += takesValue ? 1 : 0;
        continue;
      }
      command.add(words[i]);
      if (takesValue && i + 1 < words.length) {
        command.add(words[++i]);
      }
    }
    boolean jar = classPath.endsWith(".jar") && !classPath.contains(File.pathSeparator);
    command.addAll(jar ? List.of("-jar", classPath) : List.of("-cp", classPath, Main.class.getName()));
    return command;
  }
}
