package ai.valetts.app;

import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.checkpoint.RunIdentity;
import ai.valetts.checkpoint.TrainState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Stands for a process that trains. Its arguments are the folder of the run, the number of this start, and what to do at
 * each start: {@code save}, a status to end with, a signal to die of, or {@code wait} until it is told to end.
 */
final class CrashingChild {
  private CrashingChild() {}

  public static void main(String[] arguments) throws Exception {
    Path run = Path.of(arguments[0]);
    int start = Integer.parseInt(arguments[1]);
    for (String deed : arguments[2 + Math.min(start, arguments.length - 3)].split("\\+")) {
      if (deed.equals("save")) {
        save(run, start + 1);
      } else if (deed.equals("wait")) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
          save(run, 99);
          Runtime.getRuntime().halt(130);
        }));
        Files.writeString(run.resolve("waiting"), String.valueOf(ProcessHandle.current().pid()));
        TimeUnit.MINUTES.sleep(2);
      } else if (deed.startsWith("SIG")) {
        new ProcessBuilder("kill", "-" + deed.substring(3), String.valueOf(ProcessHandle.current().pid())).start().waitFor();
        TimeUnit.SECONDS.sleep(30);
      } else {
        Runtime.getRuntime().halt(Integer.parseInt(deed));
      }
    }
  }

  private static void save(Path run, long step) {
    new CheckpointStore(new RunDirectory(run).checkpoints(), 9, Map.of(), text -> {}).save(
        new TrainState(step, 0, 0, 0, 0, 0, 0, Double.NaN, Double.NaN, 0),
        new RunIdentity(1, 1, "cpu", "x"),
        directory -> {
          try {
            Files.writeString(directory.resolve("generator.safetensors"), "weights of step " + step);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }
}
