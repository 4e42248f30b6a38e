package ai.valetts.app;

import ai.valetts.data.PreparationProgress;
import ai.valetts.monitor.ConsoleCount;

/** Progress of a preparation as a bar on a terminal. */
record BarProgress(ConsoleCount console) implements PreparationProgress {
  @Override
  public void notice(String text) {
    console.line(text);
  }

  @Override
  public void step(String what, long done, long total) {
    console.step(what, done, total);
  }
}
