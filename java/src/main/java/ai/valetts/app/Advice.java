package ai.valetts.app;

import ai.valetts.config.ConfigKeys;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ReportConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.event.RunListener;
import ai.valetts.report.Advisor;
import ai.valetts.report.ChangeInbox;
import ai.valetts.report.ChangeJournal;
import ai.valetts.report.ChangeSink;
import ai.valetts.report.Report;
import ai.valetts.report.ReportFiles;
import ai.valetts.report.ReportSource;
import ai.valetts.report.ReportUnavailableException.Reason;
import ai.valetts.report.Reporter;
import ai.valetts.report.RunReports;
import ai.valetts.report.llm.OpenRouterReports;
import ai.valetts.report.llm.Secret;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Reports on runs, on demand and while one goes on, and what becomes of their suggestions. */
final class Advice {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Consumer<String> notice;
  private final Map<String, String> environment;

  Advice(Consumer<String> notice) {
    this(notice, System.getenv());
  }

  Advice(Consumer<String> notice, Map<String, String> environment) {
    this.notice = notice;
    this.environment = environment;
  }

  /** Makes one report. */
  AdviseResult run(AdviseRequest request) {
    RunDirectory run = existing(new RunDirectory(request.runDirectory()));
    ValettsConfig config = ConfigLoader.load(run.config(), List.of());
    String language = request.language() == null ? config.report().language() : request.language();
    ReportSource source = request.offline() ? ReportSource.none(Reason.OFFLINE) : source(run, config.report());
    try {
      RunReports.Made made = reports(run, language, source, report -> {}).make(true);
      return new AdviseResult(made.file(), ReportFiles.markdown(made.report()), made.report().source());
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /** Leaves a decision for a run, or lists its changes. */
  ApproveResult approve(ApproveRequest request) {
    RunDirectory run = existing(new RunDirectory(request.runDirectory()));
    ChangeJournal journal = new ChangeJournal(run.changes());
    try {
      ChangeInbox inbox = new ChangeInbox(run.inbox());
      Set<ChangeInbox.Decision> waiting = inbox.waiting();
      List<String> lines = journal.changes().stream().map(change -> words(change, waiting)).toList();
      if (request.id() == null) {
        return new ApproveResult(lines.isEmpty() ? List.of("No change was proposed or made in this run.") : lines, "");
      }
      ChangeJournal.Line change =
          journal.change(request.id())
              .orElseThrow(() -> new RequestException("The run " + run.root() + " has no change \"" + request.id()
                  + "\"; valetts approve " + run.root() + " lists those there are."));
      ChangeJournal.State needed = request.revert() ? ChangeJournal.State.MADE : ChangeJournal.State.PROPOSED;
      if (change.state() != needed) {
        throw new RequestException("Change " + change.id() + " is " + state(change) + ": there is nothing to "
            + (request.revert() ? "take back." : "approve."));
      }
      ChangeInbox.Decision decision = new ChangeInbox.Decision(change.id(), request.revert());
      inbox.put(decision);
      String left = waiting.contains(decision) ? "It waits already" : "Left";
      return new ApproveResult(
          List.of(words(change, waiting)), left + " for the run, which reads it between two steps or when it goes on.");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String words(ChangeJournal.Line change, Set<ChangeInbox.Decision> waiting) {
    return String.format(
        Locale.ROOT, "%s  %s at step %,d%s  %s: %s -> %s  (%s: %s)", change.id(), state(change), change.step(),
        decided(change, waiting), change.key(), change.from(), change.to(), change.source(), change.reason());
  }

  private static String decided(ChangeJournal.Line change, Set<ChangeInbox.Decision> waiting) {
    if (change.state() == ChangeJournal.State.PROPOSED && waiting.contains(new ChangeInbox.Decision(change.id(), false))) {
      return ", approved, which the run has not read yet";
    }
    return change.state() == ChangeJournal.State.MADE && waiting.contains(new ChangeInbox.Decision(change.id(), true))
        ? ", to be taken back, which the run has not read yet"
        : "";
  }

  private static String state(ChangeJournal.Line change) {
    return change.state().name().toLowerCase(Locale.ROOT);
  }

  private static RunDirectory existing(RunDirectory run) {
    if (!Files.isRegularFile(run.config())) {
      throw new RequestException("There is no run in " + run.root() + ": config.yaml is missing.");
    }
    return run;
  }

  /**
   * What makes reports while a run goes on, and what carries their suggestions out.
   *
   * @param keys that the loop can change
   * @param sink its inbox
   * @param completedSteps of the checkpoint that the run goes on from
   * @param announce told of each change and proposal
   */
  List<RunListener> listeners(
      RunDirectory run,
      ValettsConfig config,
      Set<String> keys,
      ChangeSink sink,
      long completedSteps,
      Consumer<String> announce) {
    ReportConfig settings = config.report();
    Map<String, Double> changeable = new HashMap<>();
    ConfigKeys.values(config).forEach((key, value) -> {
      if (keys.contains(key) && value instanceof Number number) {
        changeable.put(key, number.doubleValue());
      }
    });
    Advisor advisor =
        new Advisor(
            run.root(), settings, changeable, new ChangeJournal(run.changes()), new ChangeInbox(run.inbox()), sink,
            Clock.systemUTC(), announce);
    try {
      advisor.restore(completedSteps);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return List.of(advisor, reporter(run, settings, advisor::consider));
  }

  private Reporter reporter(RunDirectory run, ReportConfig config, Consumer<Report> listener) {
    ReportConfig.Llm llm = config.llm();
    Reporter.Triggers triggers =
        llm == null
            ? Reporter.Triggers.NONE
            : new Reporter.Triggers(llm.everyEpochs(), llm.everyMinutes(), llm.atValidation());
    boolean asks = !triggers.equals(Reporter.Triggers.NONE);
    ReportSource source = asks ? source(run, config) : ReportSource.none(Reason.OFF);
    return new Reporter(reports(run, config.language(), source, listener), triggers, Clock.systemUTC(), PATIENCE);
  }

  private RunReports reports(RunDirectory run, String language, ReportSource source, Consumer<Report> listener) {
    RunReports.Files files = new RunReports.Files(run.metrics(), run.config(), run.changes(), run.reports());
    return new RunReports(files, language, source, Clock.systemUTC(), notice, listener);
  }

  private ReportSource source(RunDirectory run, ReportConfig config) {
    if (config.llm() == null) {
      return ReportSource.none(Reason.OFF);
    }
    try {
      Optional<Secret> key = Secret.find(environment, config.llm().keyFile());
      return key.isPresent()
          ? new OpenRouterReports(config, key.get(), run.reports().resolve("spending.json"), notice)
          : ReportSource.none(Reason.NO_KEY);
    } catch (IllegalArgumentException e) {
      notice.accept("No model is asked for reports: " + e.getMessage());
      return ReportSource.none(Reason.NO_KEY);
    }
  }
}
