package ai.valetts.engine.jni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.engine.EngineInternalException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibrariesTest {
  @TempDir Path folder;

  @Test
  void aNamedFolderWithoutTheLibrariesIsRefusedByName() throws IOException {
    Files.createFile(folder.resolve("libvalettsenv.so"));
    assertThatThrownBy(() -> NativeLibraries.requireLibraries(folder, "VALETTS_LIBRARY_PATH"))
        .isInstanceOf(EngineInternalException.class)
        .hasMessageContaining("VALETTS_LIBRARY_PATH")
        .hasMessageContaining(folder.toString())
        .hasMessageContaining("no libvaletts.so");
  }

  @Test
  void aLibtorchThatIsGoneIsExplainedWithTheWayToMendIt() {
    Path file = Path.of("/cache/libvaletts.so");
    String linker =
        "/cache/libvaletts.so: libtorch_cpu.so: cannot open shared object file: No such file or directory";
    assertThat(NativeLibraries.explain(file, linker))
        .contains("needs a library that is not on this machine any more: libtorch_cpu.so")
        .contains("scripts/setup.sh")
        .contains("valetts doctor");
  }

  @Test
  void anotherLibtorchIsExplainedWithTheWayToMendIt() {
    Path file = Path.of("/cache/libvaletts.so");
    assertThat(NativeLibraries.explain(file, "/cache/libvaletts.so: undefined symbol: _ZN2at5emptyE"))
        .contains("does not fit this machine's libraries")
        .contains("scripts/build.sh");
  }

  @Test
  void truncatedLibrariesAreNamed() {
    Path file = Path.of("/cache/libvaletts.so");
    assertThat(NativeLibraries.explain(file, "/cache/libvaletts.so: file too short"))
        .isEqualTo(
            "The native core /cache/libvaletts.so cannot be loaded: file too short."
                + " 'valetts doctor' checks the whole set-up.");
  }
}
