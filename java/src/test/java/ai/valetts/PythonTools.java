package ai.valetts;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Other people's Python programs, which read what ours writes: each in a private environment that goes with the build. */
public final class PythonTools {
  private static final Path FOLDER =
      Path.of(System.getProperty("valetts.checkout", ".."))
          .toAbsolutePath()
          .normalize()
          .resolve("java/target/end-to-end-cache");

  private static final List<String> WITHOUT_TELEMETRY_NAMES =
      List.of(
          "wandb==0.30.0", "click>=8.2", "pydantic==2.13.5", "pydantic-core==2.46.5", "annotated-types",
          "typing-inspection", "typing_extensions", "protobuf<8", "pyyaml", "requests<3", "idna", "urllib3", "certifi",
          "charset-normalizer", "platformdirs", "packaging", "xxhash", "opentelemetry-api==1.45.0",
          "opentelemetry-sdk==1.45.0", "opentelemetry-exporter-otlp-proto-http==1.45.0",
          "opentelemetry-exporter-otlp-proto-common==1.45.0", "opentelemetry-proto==1.45.0",
          "googleapis-common-protos", "importlib-metadata", "zipp");

  private PythonTools() {}

  /**
   * How a program ended.
   *
   * @param output standard output and error together
   */
  public record Ended(int exitCode, String output) {}

  /** The Python that has TensorBoard; the test is skipped where it cannot be installed. */
  public static Path withTensorBoard() throws Exception {
    return with("tensorboard", List.of("tensorboard", "setuptools<81"), List.of());
  }

  /** The Python that has the client of Weights &amp; Biases; the test is skipped where it cannot be installed. */
  public static Path withWandb() throws Exception {
    return with("wandb", List.of("wandb==0.30.0"), WITHOUT_TELEMETRY_NAMES);
  }

  /**
   * A Python in which a package can be imported.
   *
   * @param packages for pip
   * @param singly where pip cannot have all that they depend on: these, one after the other, each with nothing else
   */
  private static Path with(String module, List<String> packages, List<String> singly) throws Exception {
    Path python = FOLDER.resolve("venv-" + module + "/bin/python");
    if (!imports(python, module)) {
      Path folder = python.getParent().getParent();
      Files.createDirectories(folder.getParent());
      run(60, Map.of(), "python3", "-m", "venv", folder.toString());
      if (!install(python, packages) && !singly.isEmpty()) {
        for (String each : singly) {
          install(python, List.of("--no-deps", each));
        }
        standInForTelemetryNames(python);
      }
      if (!imports(python, module)) {
        System.err.println("skipped: " + module + " cannot be installed here, so that it cannot read our files");
        assumeTrue(false, module + " cannot be installed here");
      }
    }
    return python;
  }

  private static boolean install(Path python, List<String> arguments) throws Exception {
    List<String> pip =
        new ArrayList<>(
            List.of(python.toString(), "-m", "pip", "install", "--quiet", "--retries", "0", "--timeout", "10"));
    pip.addAll(arguments);
    return run(150, Map.of(), pip.toArray(String[]::new)).exitCode() == 0;
  }

  /** A package of nothing but names, which not every index has. */
  private static void standInForTelemetryNames(Path python) throws Exception {
    Path folder =
        Path.of(
            run(60, Map.of(), python.toString(), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])")
                .output()
                .strip(),
            "opentelemetry/semconv");
    Files.createDirectories(folder);
    try (InputStream in = PythonTools.class.getResourceAsStream("any_name.py")) {
      Files.copy(in, folder.resolve("__init__.py"), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static boolean imports(Path python, String module) throws Exception {
    return Files.isExecutable(python) && run(60, Map.of(), python.toString(), "-c", "import " + module).exitCode() == 0;
  }

  /** Runs a program to its end, or kills it. */
  public static Ended run(int seconds, Map<String, String> environment, String... command) throws Exception {
    Path log = Files.createTempFile("valetts-tool", ".log");
    try {
      ProcessBuilder builder = new ProcessBuilder(Arrays.asList(command)).redirectErrorStream(true);
      builder.environment().putAll(environment);
      Process process = builder.redirectOutput(log.toFile()).start();
      process.getOutputStream().close();
      boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
      if (!ended) {
        process.destroyForcibly();
      }
      return new Ended(ended ? process.exitValue() : -1, Files.readString(log));
    } catch (IOException e) {
      return new Ended(-1, e.getMessage());
    } finally {
      Files.delete(log);
    }
  }
}
