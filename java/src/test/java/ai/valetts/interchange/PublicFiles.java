package ai.valetts.interchange;

import ai.valetts.Fixtures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Checkpoints as public programs write them, made by a real PyTorch from a fixture's weights; read only, once a JVM. */
public final class PublicFiles {
  private static final Map<String, Path> WRITTEN = new HashMap<>();

  private PublicFiles() {}

  /** The folder of files made from a fixture such as {@code step_ss_mel_sdp}. */
  public static synchronized Path of(String fixture) {
    return WRITTEN.computeIfAbsent(
        fixture,
        name -> {
          Path source = Fixtures.file(name + ".safetensors");
          try {
            Path made = Files.createTempDirectory("valetts-public-files");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(made)));
            PythonTorch.run("write_voices.py", source, made);
            return made;
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
      for (Path file : deepestFirst) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
