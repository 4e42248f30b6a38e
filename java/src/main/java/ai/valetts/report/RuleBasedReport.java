package ai.valetts.report;

import ai.valetts.report.Report.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The report that needs neither key nor network: what {@link Rules} find, and each loss explained. Stateless. */
public final class RuleBasedReport {
  /** Losses that are explained when the run has them, in this order. */
  private static final List<String> LOSSES =
      List.of(
          "loss/g/mel_l1", "loss/g/kl", "loss/g/dur", "loss/g/gen", "loss/g/fm", "loss/d/total", "loss/g/dur_gen",
          "loss/dur_disc/total", "loss/g/total");

  private static final List<String> HELD = List.of("val/mel_l1", "val/kl", "val/duration_error");

  /** Values below which nothing is called healthy. */
  private static final int MIN_POINTS = 20;

  /** Change over the recent window, as a share, below which a loss is called steady. */
  private static final double STEADY = 0.02;

  private RuleBasedReport() {}

  /**
   * @param createdAt ISO-8601 in UTC
   */
  public static Report of(RunSummary run, ReportTexts texts, String createdAt) {
    List<Rules.Finding> findings = Rules.findings(run);
    List<Report.Problem> problems = findings.stream().map(finding -> problem(finding, texts)).toList();
    return new Report(
        run.step(),
        createdAt,
        texts.language(),
        Report.RULES,
        texts.get("state." + state(run, problems)),
        summary(run, problems, texts),
        losses(run, texts),
        problems,
        suggestions(findings, texts));
  }

  private static int points(RunSummary run) {
    return run.measure("loss/g/mel_l1").or(() -> run.measure("loss/g/total"))
        .map(measure -> measure.recent().points())
        .orElse(0);
  }

  private static String state(RunSummary run, List<Report.Problem> problems) {
    if (problems.isEmpty()) {
      return points(run) < MIN_POINTS ? "early" : "healthy";
    }
    Severity worst = problems.get(0).severity();
    return worst == Severity.CRITICAL ? "critical" : worst == Severity.WARNING ? "warning" : "noticed";
  }

  private static String summary(RunSummary run, List<Report.Problem> problems, ReportTexts texts) {
    List<String> sentences = new ArrayList<>();
    sentences.add(texts.get("summary.where", Map.of(
        "step", run.step(), "epoch", run.epoch(), "hours", run.trainedSeconds() / 3600, "device", run.device())));
    if (points(run) < MIN_POINTS) {
      sentences.add(texts.get("summary.early", Map.of("points", points(run))));
    }
    run.measure("loss/g/mel_l1").ifPresent(mel -> sentences.add(texts.get(
        "summary.mel", Map.of("now", mel.now(), "first", mel.whole().first()))));
    run.held("val/mel_l1").ifPresent(mel -> sentences.add(texts.get(
        "summary.held", Map.of("now", mel.recent().last(), "best", mel.best(), "step", mel.bestStep()))));
    run.held("val/mel_ratio").ifPresent(ratio -> sentences.add(texts.get(
        "summary.ratio", Map.of("ratio", ratio.recent().last()))));
    if (!problems.isEmpty()) {
      sentences.add(texts.get(
          "summary.problems", Map.of("count", problems.size(), "worst", problems.get(0).title())));
    } else if (points(run) >= MIN_POINTS) {
      sentences.add(texts.get("summary.healthy", Map.of("rules", Rules.ALL.size())));
    }
    sentences.addAll(cost(run, texts));
    return String.join(" ", sentences);
  }

  /** What is spent, what it will be, and how long the machine is there, as far as the run knows. */
  private static List<String> cost(RunSummary run, ReportTexts texts) {
    List<String> sentences = new ArrayList<>();
    for (String currency : List.of("usd", "units")) {
      run.measure("cost/" + currency).ifPresent(spent ->
          sentences.add(texts.get("summary." + currency, Map.of("spent", spent.recent().last()))));
      run.measure("cost/" + currency + "_at_end").ifPresent(end ->
          sentences.add(texts.get("summary." + currency + "_at_end", Map.of("end", end.recent().last()))));
    }
    run.measure("cost/session_hours_left").ifPresent(left ->
        sentences.add(texts.get("summary.session", Map.of(
            "hours", run.measure("cost/session_hours").map(hours -> hours.recent().last()).orElse(Double.NaN),
            "left", left.recent().last()))));
    return sentences;
  }

  private static List<Report.Loss> losses(RunSummary run, ReportTexts texts) {
    int discriminators =
        (int) IntStream.iterate(0, i -> i + 1).takeWhile(i -> run.measures().containsKey("loss/d_r/" + i)).count();
    List<Report.Loss> losses = new ArrayList<>();
    for (String tag : LOSSES) {
      run.measure(tag).ifPresent(measure -> {
        String now = course(measure, measure.now(), texts);
        boolean shared = tag.equals("loss/d/total") || tag.equals("loss/g/gen");
        if (shared && discriminators > 0) {
          now += " " + texts.get("now.each", Map.of("each", measure.now() / discriminators));
        }
        losses.add(new Report.Loss(tag, now, texts.get("loss." + tag)));
      });
    }
    for (String tag : HELD) {
      run.held(tag).ifPresent(measure -> losses.add(new Report.Loss(
          tag,
          course(measure, measure.now(), texts) + " "
              + texts.get("now.best", Map.of("best", measure.best(), "step", measure.bestStep())),
          texts.get("loss." + tag))));
    }
    return losses;
  }

  private static String course(Measure measure, double now, ReportTexts texts) {
    double rise = measure.recent().relativeRise();
    double first = measure.whole().first();
    String direction = rise < -STEADY ? "falling" : rise > STEADY ? "rising" : "steady";
    double change = first == 0 ? 0 : (now - first) / Math.abs(first);
    return texts.get(
        "now." + direction,
        Map.of("now", now, "first", first, "change", (change > 0 ? "+" : "") + texts.percent(change)));
  }

  private static Report.Problem problem(Rules.Finding finding, ReportTexts texts) {
    String id = finding.rule().id();
    return new Report.Problem(
        id,
        finding.rule().severity(),
        texts.get("problem." + id + ".title"),
        texts.get("problem." + id + ".evidence", finding.evidence().numbers()));
  }

  private static List<Report.Suggestion> suggestions(List<Rules.Finding> findings, ReportTexts texts) {
    List<Report.Suggestion> suggestions = new ArrayList<>();
    for (Rules.Finding finding : findings) {
      for (Evidence.Change change : finding.evidence().suggestions()) {
        if (suggestions.stream().noneMatch(other -> other.key().equals(change.key()))) {
          suggestions.add(new Report.Suggestion(
              change.key(), change.current(), change.low(), change.high(), change.confidence(),
              texts.get("problem." + finding.rule().id() + ".reason")));
        }
      }
    }
    return suggestions;
  }
}
