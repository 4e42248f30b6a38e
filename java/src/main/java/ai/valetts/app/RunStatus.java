package ai.valetts.app;

import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.monitor.RunRecord;
import ai.valetts.monitor.Series;
import ai.valetts.report.page.RunPage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads where a run stands from its files, also while it goes on. Changes nothing. */
final class RunStatus {
  private static final int SHOWN_WARNINGS = 5;
  private static final String JUDGED_BY = "val/mel_l1";
  private static final List<String> LOSSES =
      List.of(
          "loss/g/total", "loss/g/mel_l1", "loss/g/kl", "loss/g/dur", "loss/g/fm", "loss/g/gen", "loss/d/total",
          "loss/dur_disc/total");

  private static final List<String> MEASURES = List.of("perf/", "machine/", "gpu/", "amp/", "cost/");

  private final RunDirectory run;
  private final RunRecord record;

  private RunStatus(RunDirectory run, RunRecord record) {
    this.run = run;
    this.record = record;
  }

  /**
   * Looks at a run.
   *
   * @throws RequestException if there is none in the folder
   */
  static StatusResult of(RunDirectory run) {
    refuseNoRun(run);
    try {
      return new RunStatus(run, RunRecord.read(run.metrics())).result();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Makes the run's page.
   *
   * @param out null for the usual place
   * @throws RequestException if there is no run in the folder
   */
  static Path page(RunDirectory run, Path out) {
    refuseNoRun(run);
    Path file = out == null ? run.page() : out.toAbsolutePath();
    try {
      RunPage.write(run.root(), RunRecord.read(run.metrics()), run.isBeingTrained(), file);
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void refuseNoRun(RunDirectory run) {
    if (!Files.isRegularFile(run.config()) && !Files.isRegularFile(run.metrics())) {
      throw new RequestException(
          "There is no run in " + run.root() + ": neither config.yaml nor metrics.jsonl is there.");
    }
  }

  private StatusResult result() {
    Optional<RunRecord.Session> session = record.session();
    Optional<RunRecord.Step> last = record.lastStep();
    Optional<Progress> progress = last.map(RunRecord.Step::progress);
    List<RunRecord.Remark> warnings =
        record.remarks().stream().filter(remark -> remark.level() == Notice.Level.WARNING).toList();
    List<RunRecord.SavedCheckpoint> checkpoints =
        record.checkpoints().stream()
            .filter(checkpoint -> Files.isDirectory(run.root().resolve(checkpoint.directory())))
            .toList();
    List<RunRecord.Validation> validations = record.validations();
    return new StatusResult(
        session.map(RunRecord.Session::run).filter(name -> !name.isEmpty()).orElse(run.root().getFileName().toString()),
        run.root().toString(),
        state(session),
        session.map(RunRecord.Session::end).map(RunRecord.End::reason).orElse(""),
        record.step(),
        last.map(RunRecord.Step::epoch).orElse(0),
        progress.map(Progress::limit).orElse(""),
        progress.map(Progress::fraction).filter(Double::isFinite).orElse(null),
        progress.map(Progress::secondsToGo).filter(Double::isFinite).orElse(null),
        progress.map(Progress::trainedSeconds).orElse(0.0),
        record.sessions().size(),
        session.map(RunRecord.Session::device).orElse(""),
        record.lastTime().map(Object::toString).orElse(null),
        last.map(this::losses).orElse(List.of()),
        measures(),
        validations.isEmpty() ? null : validation(validations.get(validations.size() - 1)),
        validations.stream()
            .filter(validation -> Double.isFinite(validation.scalars().getOrDefault(JUDGED_BY, Double.NaN)))
            .min(Comparator.comparingDouble(validation -> validation.scalars().get(JUDGED_BY)))
            .map(RunStatus::validation)
            .orElse(null),
        checkpoints.isEmpty() ? null : saved(checkpoints.get(checkpoints.size() - 1)),
        checkpoints.size(),
        warnings.subList(Math.max(0, warnings.size() - SHOWN_WARNINGS), warnings.size()).stream()
            .map(remark -> new StatusResult.Warning(remark.step(), remark.text()))
            .toList(),
        warnings.size(),
        record.missedSteps(),
        record.damagedLines());
  }

  private StatusResult.State state(Optional<RunRecord.Session> session) {
    if (run.isBeingTrained()) {
      return StatusResult.State.RUNNING;
    }
    if (session.isEmpty()) {
      return StatusResult.State.NOT_BEGUN;
    }
    RunRecord.End end = session.get().end();
    if (end == null) {
      return StatusResult.State.KILLED;
    }
    return end.failed() ? StatusResult.State.FAILED : StatusResult.State.ENDED;
  }

  private List<StatusResult.Loss> losses(RunRecord.Step step) {
    List<StatusResult.Loss> losses = new ArrayList<>();
    for (String tag : LOSSES) {
      if (step.scalars().containsKey(tag)) {
        losses.add(
            new StatusResult.Loss(
                tag, finite(step.scalars().get(tag)), trend(record.series().get(tag))));
      }
    }
    return losses;
  }

  private static Double trend(Series series) {
    int tenth = Math.max(1, series.size() / 10);
    if (series.size() < 2 * tenth) {
      return null;
    }
    double now = mean(series, series.size() - tenth, series.size());
    double before = mean(series, series.size() - 2 * tenth, series.size() - tenth);
    return before == 0 ? null : finite((now - before) / Math.abs(before));
  }

  private static double mean(Series series, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += series.mean(i);
    }
    return sum / (to - from);
  }

  /** The machine is read less often than the losses, and may be another since the last start. */
  private Map<String, Double> measures() {
    long start = record.session().map(RunRecord.Session::step).orElse(0L);
    Map<String, Double> measures = new LinkedHashMap<>();
    record.series().forEach((tag, series) -> {
      if (MEASURES.stream().anyMatch(tag::startsWith) && series.step(series.size() - 1) > start) {
        measures.put(tag, finite(series.last()));
      }
    });
    return measures;
  }

  private static StatusResult.Validation validation(RunRecord.Validation validation) {
    Map<String, Double> scalars = new LinkedHashMap<>();
    validation.scalars().forEach((tag, value) -> scalars.put(tag, finite(value)));
    return new StatusResult.Validation(validation.step(), scalars);
  }

  private static StatusResult.SavedState saved(RunRecord.SavedCheckpoint checkpoint) {
    return new StatusResult.SavedState(
        checkpoint.step(), checkpoint.directory(), checkpoint.bytes(),
        checkpoint.time() == null ? null : checkpoint.time().toString());
  }

  private static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
