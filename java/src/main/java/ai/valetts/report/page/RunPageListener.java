package ai.valetts.report.page;

import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.ValidationCompleted;
import ai.valetts.monitor.RunRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/**
 * Makes a run's page anew at each validation and at the end, from the run's own record. Where pages take long to make,
 * validations are passed over, so that no more than a twentieth of the time goes into them. Comes after the journal.
 */
public final class RunPageListener implements RunListener {
  private static final int REST = 20;

  private final Path run;
  private final Path file;
  private final RunRecord record;
  private final LongSupplier nanoTime;
  private boolean started;
  private long madeNanos;
  private long tookNanos;

  /**
   * @param run folder of the run
   * @param metrics its record
   * @param file of the page
   */
  public RunPageListener(Path run, Path metrics, Path file) {
    this(run, metrics, file, System::nanoTime);
  }

  RunPageListener(Path run, Path metrics, Path file, LongSupplier nanoTime) {
    this.run = run;
    this.file = file;
    this.record = new RunRecord(metrics, RunRecord.USUAL_POINTS);
    this.nanoTime = nanoTime;
  }

  @Override
  public String name() {
    return "Making the run's page";
  }

  @Override
  public void on(RunEvent event) throws IOException {
    if (event instanceof RunStarted) {
      started = true;
    } else if (event instanceof ValidationCompleted && (madeNanos == 0 || nanoTime.getAsLong() - madeNanos >= tookNanos * REST)) {
      make(true);
    }
  }

  private void make(boolean going) throws IOException {
    long begin = nanoTime.getAsLong();
    record.refresh();
    RunPage.write(run, record, going, file);
    madeNanos = nanoTime.getAsLong();
    tookNanos = madeNanos - begin;
  }

  @Override
  public void close() throws IOException {
    if (started) {
      make(false);
    }
  }
}
