package ai.valetts.monitor;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A bar on a terminal for work that is counted, one piece of work after the other. Used by one thread. */
public final class ConsoleCount {
  private static final int INTERVAL_MILLIS = 200;
  private static final int WIDTH = 120;
  private static final String CLEAR_LINE = "\r\u001b[2K";

  private final PrintStream out;
  private ProgressBar bar;
  private String current = "";

  public ConsoleCount(PrintStream out) {
    this.out = out;
  }

  /** Shows that {@code done} of {@code total} are done; the bar ends with the last. */
  public void step(String what, long done, long total) {
    if (!what.equals(current)) {
      close();
      current = what;
      bar =
          new ProgressBarBuilder()
              .setTaskName(what)
              .setInitialMax(total)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(INTERVAL_MILLIS)
              .setConsumer(new ConsoleProgressBarConsumer(out, WIDTH))
              .build();
    }
    if (bar != null) {
      bar.stepTo(done);
      if (done >= total) {
        close();
      }
    }
  }

  /** Prints a line above the bar. */
  public void line(String text) {
    out.println((bar == null ? "" : CLEAR_LINE) + text);
    out.flush();
  }

  /** Ends the bar that is shown, if any. */
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
