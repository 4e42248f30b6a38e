package ai.valetts.app;

import java.nio.file.Path;
import java.util.List;

/** A process that supervises a {@link CrashingChild}. */
final class SupervisedChild {
  private SupervisedChild() {}

  public static void main(String[] arguments) {
    Path run = Path.of(arguments[0]);
    System.exit(new Supervisor(3, run, System.out::println)
        .run(restart -> SupervisorTest.child(run, restart, List.of(arguments[1])).inheritIO().start()));
  }
}
