package ai.valetts.interchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real PyTorch in Python, which writes files for the reader and reads files of the writer. */
public final class PythonTorch {
  private PythonTorch() {}

  /**
   * Runs a script that lies beside this class among the test resources, and returns what it printed. Where no Python
   * with torch is known ({@code VALETTS_PYTHON}, set by the build's own set-up), the test is skipped and says so.
   */
  public static String run(String script, Object... arguments) {
    String python = System.getenv("VALETTS_PYTHON");
    if (python == null) {
      System.err.println("skipped: VALETTS_PYTHON names no Python with torch, so that no real .pth file can be made");
    }
    assumeTrue(python != null, "VALETTS_PYTHON names no Python with torch");
    try {
      Path folder = Files.createTempDirectory("valetts-python");
      Path file = folder.resolve(script);
      Path log = folder.resolve("log");
      try (InputStream in = PythonTorch.class.getResourceAsStream(script)) {
        Files.copy(in, file);
      }
      List<String> command = new ArrayList<>(List.of(python, file.toString()));
      for (Object argument : arguments) {
        command.add(argument.toString());
      }
      Process process =
          new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
      boolean ended = process.waitFor(3, TimeUnit.MINUTES);
      String output = Files.readString(log);
      if (!ended) {
        process.destroyForcibly();
      }
      assertThat(ended && process.exitValue() == 0).as(output).isTrue();
      Files.delete(file);
      Files.delete(log);
      Files.delete(folder);
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
