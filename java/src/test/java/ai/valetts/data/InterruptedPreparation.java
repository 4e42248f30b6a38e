package ai.valetts.data;

import ai.valetts.config.DataConfig;
import java.nio.file.Path;

/** A process of its own that prepares a folder, to be killed on its way. */
public final class InterruptedPreparation {
  private InterruptedPreparation() {}

  public static void main(String[] arguments) {
    DataConfig config = DataFixtures.config(1, 0, DataFixtures.source(Path.of(arguments[0]), "ana"));
    DataFixtures.survey(config, Path.of(arguments[1]), System.out::println).close();
    System.out.println("done");
  }
}
