package ai.valetts.report.llm;

import java.time.Duration;

/** Lets time pass. */
interface Pause {
  void sleep(Duration duration) throws InterruptedException;
}
