package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.checkpoint.CheckpointStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** With real processes that end in all the ways they can. */
@Timeout(120)
class SupervisorTest {
  @TempDir private Path run;
  private final List<String> notices = Collections.synchronizedList(new ArrayList<>());
  private int starts;

  @Test
  void goesOnAfterALostGpuACrashAndAKillUntilTheRunIsDone() {
    assertThat(supervise(5, "75", "SIGKILL", "134", "save+0")).isZero();
    assertThat(starts).isEqualTo(4);
    assertThat(notices).hasSize(3).allMatch(text -> text.contains("last checkpoint"));
    assertThat(notices.get(0)).contains("lost the GPU");
    assertThat(notices.get(1)).contains("signal 9", "want of memory");
    assertThat(notices.get(2)).contains("signal 6", "3 of 5");
  }

  @Test
  void givesUpAfterTheLastRestartWithTheChildsStatus() {
    assertThat(supervise(2, "SIGSEGV")).isIn(134, 139);
    assertThat(starts).isEqualTo(3);
    assertThat(notices.get(2)).contains("not started again");
  }

  @Test
  void countsAnewWhenTheRunHasSaved() {
    assertThat(supervise(1, "75", "save+75", "save+75", "0")).isZero();
    assertThat(starts).isEqualTo(4);
    assertThat(notices).hasSize(3).allMatch(text -> text.contains("1 of 1"));
  }

  @Test
  void anExpectedFailureIsNotTriedAgain() {
    for (int status : new int[] {0, 1, 2, 6, 130}) {
      starts = 0;
      assertThat(supervise(5, String.valueOf(status))).isEqualTo(status);
      assertThat(starts).isEqualTo(1);
    }
    assertThat(notices).isEmpty();
  }

  @Test
  void passesASignalOnAndLeavesWithTheChildsStatusOnceItHasSaved() throws Exception {
    Process supervisor = java(SupervisedChild.class.getName(), List.of(), List.of(run.toString(), "wait")).inheritIO().start();
    Path waiting = run.resolve("waiting");
    while (!Files.exists(waiting) || Files.size(waiting) == 0) {
      assertThat(supervisor.isAlive()).isTrue();
      TimeUnit.MILLISECONDS.sleep(20);
    }
    long child = Long.parseLong(Files.readString(waiting));
    supervisor.destroy();
    assertThat(supervisor.waitFor()).isEqualTo(130);
    assertThat(ProcessHandle.of(child).filter(ProcessHandle::isAlive)).isEmpty();
    assertThat(CheckpointStore.newest(run.resolve("checkpoints"), notices::add).orElseThrow().state().step()).isEqualTo(99);
  }

  @Test
  void theCommandLineRunsTheSameCommandInAnotherProcess() throws Exception {
    Path output = run.resolve("output");
    Process valetts = java("ai.valetts.cli.Main", List.of("-Xmx256m"),
            List.of("resume", run.resolve("nowhere").toString(), "--supervise", "--max-restarts", "2"))
        .redirectErrorStream(true)
        .redirectOutput(output.toFile())
        .start();
    assertThat(valetts.waitFor()).isEqualTo(ExitCode.CHECKPOINT.code());
    assertThat(output).content().containsOnlyOnce("There is no run in " + run.resolve("nowhere"));
  }

  private int supervise(int maxRestarts, String... deeds) {
    return new Supervisor(maxRestarts, run, Duration.ofMillis(1), notices::add).run(restart -> {
      starts++;
      return child(run, restart, List.of(deeds)).inheritIO().start();
    });
  }

  static ProcessBuilder child(Path run, int start, List<String> deeds) {
    List<String> arguments = new ArrayList<>(List.of(run.toString(), String.valueOf(start)));
    arguments.addAll(deeds);
    // A crash may leave a core file where it happens.
    return java(CrashingChild.class.getName(), List.of(), arguments).directory(run.toFile());
  }

  private static ProcessBuilder java(String main, List<String> options, List<String> arguments) {
    List<String> command = new ArrayList<>(List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xshare:auto", "-XX:TieredStopAtLevel=1",
        "-XX:ErrorFile=/dev/null",
        "-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))));
    command.addAll(options);
    command.add(main);
    command.addAll(arguments);
    return new ProcessBuilder(command);
  }
}
