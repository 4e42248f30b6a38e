package ai.valetts.app;

import ai.valetts.data.PreparationProgress;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Progress of a preparation as plain lines, not more often than every five seconds. */
final class NoticedProgress implements PreparationProgress {
  private static final long GAP_NANOS = Duration.ofSeconds(5).toNanos();

  private final Consumer<String> notice;
  private final LongSupplier nanoTime;
  private String current = "";
  private long lineNanos;

  NoticedProgress(Consumer<String> notice, LongSupplier nanoTime) {
    this.notice = notice;
    this.nanoTime = nanoTime;
  }

  @Override
  public void notice(String text) {
    notice.accept(text);
  }

  @Override
  public void step(String what, long done, long total) {
    long now = nanoTime.getAsLong();
    if (!what.equals(current)) {
      current = what;
      lineNanos = now;
    }
    if (now - lineNanos >= GAP_NANOS) {
      lineNanos = now;
      notice.accept(String.format(Locale.ROOT, "%s: %,d of %,d", what, done, total));
    }
  }
}
