package ai.valetts.monitor.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.PythonTools;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NvidiaGpusTest {
  @TempDir private Path root;

  @Test
  void readsWhatTheLibraryTellsOfEachGpu() throws Exception {
    Path source = root.resolve("nvml_two_gpus.c");
    try (InputStream in = NvidiaGpusTest.class.getResourceAsStream("nvml_two_gpus.c")) {
      Files.copy(in, source);
    }
    Path library = root.resolve("libnvml-two-gpus.so");
    PythonTools.Ended compiled =
        PythonTools.run(60, Map.of(), "cc", "-shared", "-fPIC", "-o", library.toString(), source.toString());
    if (compiled.exitCode() != 0) {
      System.err.println("skipped: there is no C compiler to make a library that answers as NVML does");
    }
    assumeTrue(compiled.exitCode() == 0, "there is no C compiler");
    try (NvidiaGpus gpus = NvidiaGpus.open(library.toString(), absence -> {}).orElseThrow()) {
      assertThat(gpus.names()).containsExactly("First", "Second");
      assertThat(gpus.read())
          .containsExactly(
              new GpuReading(0, 93, 1.5, 16, 345.6, 61), new GpuReading(1, 7, 1.5, 16, Double.NaN, 61));
    }
  }

  @Test
  void saysWhyThereIsNone() {
    List<String> absence = new ArrayList<>();
    assertThat(NvidiaGpus.open(root.resolve("nowhere.so").toString(), absence::add)).isEmpty();
    assertThat(absence).singleElement().asString().contains("there is no NVML");
  }
}
