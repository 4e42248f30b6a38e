package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.app.Doctor.Verdict;
import ai.valetts.engine.EngineInternalException;
import ai.valetts.engine.EngineSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DoctorTest {

  @Test
  void calledWithoutACoreSaysSoAndChecksTheRest(@TempDir Path folder) {
    Doctor doctor =
        new Doctor(
            folder.resolve("cache"),
            folder.resolve("runs"),
            () -> {
              throw new EngineInternalException("no core inside");
            });
    Doctor.Report report = doctor.examine();
    assertThat(report.isFit()).isFalse();
    assertThat(report.findings())
        .anySatisfy(
            finding -> {
              assertThat(finding.subject()).isEqualTo("Native core");
              assertThat(finding.verdict()).isEqualTo(Verdict.BAD);
              assertThat(finding.found()).isEqualTo("no core inside");
              assertThat(finding.remedy()).contains("quickstart.sh");
            });
    assertThat(report.findings())
        .extracting(Doctor.Finding::subject)
        .contains("Java", "Audio decoder", "espeak-ng", "Memory", "Disk for the cache", "Disk for runs", "Demo recordings");
    assertThat(report.findings())
        .allSatisfy(
            finding -> assertThat(finding.remedy().isEmpty()).isEqualTo(finding.verdict() == Verdict.GOOD));
  }

  @ParameterizedTest
  @CsvSource({"2.13.0+cpu, GOOD", "2.11.0, GOOD", "2.14.1+cu130, GOOD", "2.10.0, LIMITED", "3.0.0, LIMITED", "odd, LIMITED"})
  void knowsWhichLibtorchIsSupported(String version, Verdict verdict) {
    assertThat(Doctor.libtorch(version).verdict()).isEqualTo(verdict);
  }

  @Test
  void countsAGpuOnlyWhereOneIsUsable() {
    assertThat(new Doctor.Report(List.of(Doctor.gpu(system(true, List.of("H200"))))).hasGpu()).isTrue();
    assertThat(new Doctor.Report(List.of(Doctor.gpu(system(true, List.of())))).hasGpu()).isFalse();
    assertThat(new Doctor.Report(List.of()).hasGpu()).isFalse();
  }

  @Test
  void tellsACpuBuildFromAMissingGpu() {
    assertThat(Doctor.gpu(system(false, List.of())).found()).contains("built for the CPU only");
    assertThat(Doctor.gpu(system(true, List.of())).remedy()).contains("nvidia-smi");
    assertThat(Doctor.gpu(system(true, List.of("H200"))).verdict()).isEqualTo(Verdict.GOOD);
  }

  @Test
  void tellsABuildWithoutADecoderFromABrokenOne() {
    assertThat(Doctor.withoutDecoder("libudev.so.1: cannot open", true))
        .satisfies(finding -> assertThat(finding.verdict()).isEqualTo(Verdict.BAD))
        .satisfies(finding -> assertThat(finding.found()).contains("libudev.so.1"))
        .satisfies(finding -> assertThat(finding.remedy()).contains("libudev1"));
    assertThat(Doctor.withoutDecoder("no jniavutil", false).verdict()).isEqualTo(Verdict.LIMITED);
  }

  private static EngineSystem system(boolean cuda, List<String> devices) {
    return new EngineSystem("0.1.0", "2.13.0", "AVX2", cuda, devices, 2);
  }

  @Test
  void looksAtTheDiskOfAFolderThatDoesNotExistYet(@TempDir Path folder) {
    assertThat(Doctor.examineDisk("Disk", folder.resolve("a/b/c"), "move").verdict()).isNotEqualTo(Verdict.BAD);
  }

  @Test
  void refusesAPlaceBelowAFile(@TempDir Path folder) throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    Doctor.Finding finding = Doctor.examineDisk("Disk", file.resolve("cache"), "move");
    assertThat(finding.verdict()).isEqualTo(Verdict.BAD);
    assertThat(finding.remedy()).isEqualTo("move");
  }

  @Test
  void findsProgramsOnThePath(@TempDir Path folder) throws IOException {
    Path program = Files.createFile(folder.resolve("apt-get"));
    assertThat(Doctor.isOnPath("apt-get", "/nowhere::" + folder)).isFalse();
    assertThat(program.toFile().setExecutable(true)).isTrue();
    assertThat(Doctor.isOnPath("apt-get", "/nowhere::" + folder)).isTrue();
  }

  @Test
  void findsTheCacheByTheEnvironment() {
    assertThat(Places.cacheFolder(Map.of("VALETTS_CACHE", "/c", "XDG_CACHE_HOME", "/x"), "/h")).isEqualTo(Path.of("/c"));
    assertThat(Places.cacheFolder(Map.of("XDG_CACHE_HOME", "/x"), "/h")).isEqualTo(Path.of("/x/valetts"));
    assertThat(Places.cacheFolder(Map.of("VALETTS_CACHE", " "), "/h")).isEqualTo(Path.of("/h/.cache/valetts"));
    assertThat(Places.cacheFolder(Map.of("HOME", "/e"), "/h")).isEqualTo(Path.of("/e/.cache/valetts"));
  }
}
