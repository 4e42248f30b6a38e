package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.valetts.audio.AudioException;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.checkpoint.CheckpointWriteException;
import ai.valetts.config.ConfigException;
import ai.valetts.data.DataException;
import ai.valetts.engine.EngineException;
import ai.valetts.engine.EngineStatus;
import ai.valetts.text.TextException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ExitCodeTest {

  static Stream<Arguments> failures() {
    return Stream.of(
        Arguments.of(new ConfigException("x.yaml", List.of("bad")), ExitCode.USAGE, "x.yaml:\n  bad"),
        Arguments.of(new TextException("no espeak-ng"), ExitCode.USAGE, "no espeak-ng"),
        Arguments.of(new AudioException(Path.of("a.wav"), AudioException.Fault.EMPTY, "is empty"), ExitCode.DATA, "a.wav is empty"),
        Arguments.of(new CheckpointException("step-1 is cut"), ExitCode.CHECKPOINT, "step-1 is cut"),
        Arguments.of(new CheckpointWriteException("read-only", null), ExitCode.DISK, "read-only"),
        Arguments.of(EngineException.of(EngineStatus.INVALID_ARGUMENT, "device"), ExitCode.ENGINE, "device"),
        Arguments.of(EngineException.of(EngineStatus.OUT_OF_MEMORY, "too big"), ExitCode.ENGINE, "too big"),
        Arguments.of(EngineException.of(EngineStatus.NON_FINITE, "loss_mel"), ExitCode.ENGINE, "loss_mel"),
        Arguments.of(EngineException.of(EngineStatus.IO, "f is short"), ExitCode.DISK, "f is short"),
        Arguments.of(EngineException.of(EngineStatus.DEVICE_FATAL, "gone"), ExitCode.DEVICE_LOST, "gone"),
        Arguments.of(EngineException.of(EngineStatus.CANCELLED, "stopped"), ExitCode.INTERRUPTED, "stopped"),
        Arguments.of(
            new UncheckedIOException(new NoSuchFileException("x")), ExitCode.DISK, "x: there is no such file or folder"),
        Arguments.of(new UncheckedIOException(new AccessDeniedException("x")), ExitCode.DISK, "x: access denied"),
        Arguments.of(new UncheckedIOException(new IOException("torn")), ExitCode.DISK, "torn"),
        Arguments.of(new UncheckedIOException("the cache is torn", new IOException("x")), ExitCode.DISK, "the cache is torn"),
        Arguments.of(new DataException("no usable clip"), ExitCode.DATA, "no usable clip"),
        Arguments.of(new OutOfMemoryError("Java heap space"), ExitCode.ENGINE, "java -Xmx4g"),
        Arguments.of(new IllegalStateException("odd"), ExitCode.UNEXPECTED, "--verbose"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void sortsAndExplainsFailures(Throwable failure, ExitCode code, String explanation) {
    assertThat(ExitCode.of(failure)).isEqualTo(code);
    assertThat(ExitCode.explain(failure)).contains(explanation).doesNotContain("\tat ");
  }

  static Stream<Throwable> diskFull() {
    return Stream.of(
        new UncheckedIOException(new FileSystemException("/r/x", null, "No space left on device")),
        EngineException.of(EngineStatus.IO, "generator.safetensors: No space left on device"));
  }

  @ParameterizedTest
  @MethodSource("diskFull")
  void saysThatTheDiskIsFullAndTheLastCheckpointIntact(Throwable failure) {
    assertThat(ExitCode.of(failure)).isEqualTo(ExitCode.DISK);
    assertThat(ExitCode.explain(failure)).startsWith("no space left on the disk").contains("resume");
  }

  @Test
  void saysWhatToDoAboutAPlaceThatIsNoFolderOrReadOnly(@TempDir Path folder) throws IOException {
    Path file = Files.createFile(folder.resolve("tensorboard"));
    IOException notAFolder = assertThrows(IOException.class, () -> Files.createDirectories(file));
    assertThat(ExitCode.explain(notAFolder)).isEqualTo(file + ": is not a folder; move it out of the way");
    IOException below = assertThrows(IOException.class, () -> Files.createDirectories(file.resolve("run")));
    assertThat(ExitCode.explain(below)).contains(file.toString(), "not a folder; move it out of the way");
    assertThat(ExitCode.explain(new FileSystemException("/mnt/x", null, "Read-only file system")))
        .isEqualTo("/mnt/x: Read-only file system; make it writable, or choose another place");
  }

  @Test
  void explainsANameThatTheLocaleCannotHold() {
    Throwable failure = new InvalidPathException("n\ufffdo.txt", "Malformed input or input contains unmappable characters");
    assertThat(ExitCode.of(failure)).isEqualTo(ExitCode.USAGE);
    assertThat(ExitCode.explain(failure)).contains("n\ufffdo.txt", "LC_ALL=C.UTF-8");
  }

  @Test
  void leavesAFullDiskInTheWordsOfThePreparation() {
    String sentence = "the prepared recordings cannot be kept: No space left on device; set VALETTS_CACHE";
    Throwable failure = new UncheckedIOException(sentence, new IOException("No space left on device"));
    assertThat(ExitCode.of(failure)).isEqualTo(ExitCode.DISK);
    assertThat(ExitCode.explain(failure)).isEqualTo(sentence);
  }

  @Test
  void leavesAFullDiskInTheWordsOfTheCheckpoint() {
    Throwable failure = new CheckpointWriteException("step-1: full", new IOException("No space left on device"));
    assertThat(ExitCode.of(failure)).isEqualTo(ExitCode.DISK);
    assertThat(ExitCode.explain(failure)).isEqualTo("step-1: full");
  }

  @ParameterizedTest
  @EnumSource(ExitCode.class)
  void isDocumented(ExitCode code) throws IOException {
    String errors = Files.readString(Path.of(System.getProperty("valetts.checkout", "..")).resolve("docs/errors.md"));
    assertThat(errors).containsPattern("(?m)^\\| " + code.code() + " \\| `" + code.name() + "` \\|");
  }

  @Test
  void usesEachNumberOnce() {
    assertThat(Stream.of(ExitCode.values()).map(ExitCode::code)).doesNotHaveDuplicates();
  }
}
