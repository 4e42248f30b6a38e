package ai.valetts.app;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What the end-to-end tests share: the built jar, run as a user runs it, and a cache of their own. */
final class EndToEnd {
  private static final Path CHECKOUT = Path.of(System.getProperty("valetts.checkout", "..")).toAbsolutePath().normalize();

  /** A process of seconds is over before the second compiler has paid for itself. */
  private static final List<String> SHORT_LIVED = List.of("-Xmx512m", "-XX:TieredStopAtLevel=1");

  private EndToEnd() {}

  static Path checkout() {
    return CHECKOUT;
  }

  static Path jar() {
    Path jar = CHECKOUT.resolve("valetts.jar");
    if (!Files.isRegularFile(jar)) {
      throw new IllegalStateException(jar + " is not built: run scripts/build.sh");
    }
    return jar;
  }

  /** A cache that survives between the tests and goes with the build. */
  static Path cacheFolder() {
    return CHECKOUT.resolve("java/target/end-to-end-cache");
  }

  /**
   * How a process ended.
   *
   * @param output standard output and error together
   */
  record Ended(int exitCode, String output) {}

  /** Starts a Java program; its output goes to a file named after the folder, so that no pipe can fill up. */
  static Process start(Path folder, Path log, List<String> javaArguments) throws IOException {
    return start(folder, log, Map.of(), javaArguments);
  }

  /** As {@link #start(Path, Path, List)}, with variables of the environment besides. */
  static Process start(Path folder, Path log, Map<String, String> environment, List<String> javaArguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(javaArguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    return start(folder, log, builder);
  }

  private static Process start(Path folder, Path log, ProcessBuilder builder) throws IOException {
    builder.directory(folder.toFile()).redirectErrorStream(true);
    builder.redirectOutput(log.toFile());
    builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
    builder.environment().put("VALETTS_CACHE", cacheFolder().toString());
    return builder.start();
  }

  /** As from a terminal: the interrupt signal is heard even where a shell in the background has turned it off. */
  static Process startInterruptible(Path folder, Path log, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(SHORT_LIVED);
    command.addAll(List.of("-jar", jar().toString()));
    command.addAll(List.of(arguments));
    return start(folder, log, new ProcessBuilder(command));
  }

  static Process startValetts(Path folder, Path log, String... arguments) throws IOException {
    List<String> java = new ArrayList<>(SHORT_LIVED);
    java.addAll(List.of("-jar", jar().toString()));
    java.addAll(List.of(arguments));
    return start(folder, log, java);
  }

  static Ended valetts(Path folder, String... arguments) throws Exception {
    Path log = Files.createTempFile(folder, "output", ".log");
    return await(startValetts(folder, log, arguments), log);
  }

  static Ended await(Process process, Path log) throws Exception {
    try {
      if (!process.waitFor(4, TimeUnit.MINUTES)) {
        throw new IllegalStateException("the process did not end:\n" + Files.readString(log));
      }
    } finally {
      process.destroyForcibly();
    }
    return new Ended(process.exitValue(), Files.readString(log, StandardCharsets.UTF_8));
  }
}
