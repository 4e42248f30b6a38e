package ai.valetts.event;

import java.io.IOException;

/** Someone who wants to know. Called on the bus's one thread, in the order of publication; closed once at the end. */
public interface RunListener extends AutoCloseable {

  /** Takes in one event. What it throws is reported once and does not disturb the run or other listeners. */
  void on(RunEvent event) throws IOException;

  /** What a person calls it, as the beginning of a sentence that says that it failed. */
  default String name() {
    return "A listener of the run";
  }

  /** Told before the end, if at all: so many steps were left out because too many events were waiting. */
  default void missed(long steps) throws IOException {}

  @Override
  default void close() throws IOException {}
}
