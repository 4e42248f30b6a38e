package ai.valetts.report;

import ai.valetts.report.Evidence.Change;
import ai.valetts.report.Report.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * The diseases that can be told from a run's numbers alone. Thresholds are wide: a rule that cries wolf is worse than
 * one that comes late. Adversarial losses are least-squares, so that a discriminator which cannot tell real from
 * generated has a loss of 0.5 for each of its parts and gives the generator 0.25 (arXiv:1611.04076).
 */
final class Rules {
  private static final int MIN_POINTS = 20;
  private static final int MIN_VALIDATIONS = 3;

  private static final String MEL = "loss/g/mel_l1";
  private static final String HELD_MEL = "val/mel_l1";
  private static final String HELD_RATIO = "val/mel_ratio";
  private static final String RATE = "optimizer.learningRate";

  /** In the order of their say: of two that share a cause the first is kept. */
  static final List<Rule> ALL =
      List.of(
          new Rule("non-finite", Severity.CRITICAL, Rules::nonFinite),
          new Rule("loss-scale-collapse", Severity.CRITICAL, Rules::lossScaleCollapse),
          new Rule("diverging", Severity.CRITICAL, Rules::diverging),
          new Rule("kl-exploding", Severity.CRITICAL, Rules::klExploding),
          new Rule("constant-spectrum", Severity.CRITICAL, Rules::constantSpectrum),
          new Rule("discriminator-dead", Severity.CRITICAL, Rules::discriminatorDead),
          new Rule("gradient-explosion", Severity.WARNING, Rules::gradientExplosion),
          new Rule("overfitting", Severity.WARNING, Rules::overfitting),
          new Rule("discriminator-winning", Severity.WARNING, Rules::discriminatorWinning),
          new Rule("generator-winning", Severity.WARNING, Rules::generatorWinning),
          new Rule("duration-stuck", Severity.WARNING, Rules::durationStuck),
          new Rule("kl-collapse", Severity.WARNING, Rules::klCollapse),
          new Rule("learning-rate-too-high", Severity.WARNING, Rules::learningRateTooHigh),
          new Rule("learning-rate-gone", Severity.WARNING, Rules::learningRateGone),
          new Rule("batch-too-small", Severity.WARNING, Rules::batchTooSmall),
          new Rule("loader-bound", Severity.WARNING, Rules::loaderBound),
          new Rule("slowing-down", Severity.WARNING, Rules::slowingDown),
          new Rule("plateau", Severity.INFO, Rules::plateau),
          new Rule("few-batches-per-epoch", Severity.INFO, Rules::fewBatches),
          new Rule("low-gpu-utilisation", Severity.INFO, Rules::lowUtilisation),
          new Rule("unstable-throughput", Severity.INFO, Rules::unstableThroughput));

  /** What follows from something else: it is not told beside its cause. */
  private static final Map<String, List<String>> CAUSES =
      Map.of(
          "gradient-explosion", List.of("diverging", "non-finite", "kl-exploding"),
          "diverging", List.of("kl-exploding"),
          "learning-rate-too-high", List.of("diverging", "non-finite", "batch-too-small"),
          "low-gpu-utilisation", List.of("loader-bound"),
          "unstable-throughput", List.of("loader-bound", "slowing-down"),
          "plateau", List.of("constant-spectrum", "learning-rate-gone", "diverging", "overfitting"),
          "slowing-down", List.of("loader-bound"));

  /** A rule that found something. */
  record Finding(Rule rule, Evidence evidence) {}

  private Rules() {}

  /** Everything that is wrong, worst first. */
  static List<Finding> findings(RunSummary run) {
    List<Finding> all = new ArrayList<>();
    for (Rule rule : ALL) {
      rule.check().apply(run).ifPresent(evidence -> all.add(new Finding(rule, evidence)));
    }
    List<String> ids = all.stream().map(finding -> finding.rule().id()).toList();
    return all.stream()
        .filter(finding -> CAUSES.getOrDefault(finding.rule().id(), List.of()).stream().noneMatch(ids::contains))
        .toList();
  }

  private static Optional<Evidence> nonFinite(RunSummary run) {
    double share = run.recentSteps() == 0 ? 0 : (double) run.recentSkippedSteps() / run.recentSteps();
    return when(
        run.recentSkippedSteps() >= 3 && share >= 0.002,
        () -> new Evidence(
            Rule.numbers(
                "recent", run.recentSkippedSteps(), "steps", run.recentSteps(), "all", run.skippedSteps()),
            scaled(run, RATE, 0.25, 0.5, 0.6)));
  }

  private static Optional<Evidence> lossScaleCollapse(RunSummary run) {
    return tagged(run, "amp/", "scale").flatMap(scale -> when(
        scale.recent().last() <= 1 && scale.whole().max() >= 1024,
        () -> new Evidence(
            Rule.numbers("from", scale.whole().max(), "to", scale.recent().last(), "step", scale.recent().toStep()),
            scaled(run, RATE, 0.25, 0.5, 0.4))));
  }

  private static Optional<Evidence> diverging(RunSummary run) {
    return run.measure(MEL).filter(Rules::enough).flatMap(mel -> when(
        mel.recent().mean() > 1.25 * mel.best() && mel.recent().relativeRise() > 0.05 && liesBehind(mel),
        () -> new Evidence(
            Rule.numbers("now", mel.recent().mean(), "best", mel.best(), "step", mel.bestStep()),
            scaled(run, RATE, 0.25, 0.5, 0.6))));
  }

  /** The best is over: it lies before the middle of the newest values. */
  private static boolean liesBehind(Measure measure) {
    return 2 * measure.bestStep() < measure.recent().fromStep() + measure.recent().toStep();
  }

  private static Optional<Evidence> klExploding(RunSummary run) {
    return run.measure("loss/g/kl").filter(Rules::enough).flatMap(kl -> when(
        kl.recent().mean() > 10 && kl.recent().mean() > 3 * Math.abs(kl.best()) && kl.recent().relativeRise() > -0.2 && liesBehind(kl),
        () -> new Evidence(
            Rule.numbers("now", kl.recent().mean(), "best", kl.best(), "step", kl.bestStep()),
            scaled(run, RATE, 0.3, 0.6, 0.5))));
  }

  private static Optional<Evidence> constantSpectrum(RunSummary run) {
    return run.held(HELD_RATIO).flatMap(ratio -> when(
        ratio.recent().points() >= MIN_VALIDATIONS
            && run.step() >= 1000
            && ratio.recent().last() >= 0.97
            && ratio.recent().last() > 0.97 * ratio.whole().first(),
        () -> new Evidence(
            Rule.numbers("ratio", ratio.recent().last(), "first", ratio.whole().first(), "step", run.step()),
            List.of())));
  }

  private static Optional<Evidence> discriminatorDead(RunSummary run) {
    int parts = discriminators(run);
    if (parts == 0 || run.step() < 2000) {
      return Optional.empty();
    }
    Measure loss = run.measures().get("loss/d/total");
    return run.measure("grad_norm_d").filter(Rules::enough).flatMap(norm -> when(
        Math.abs(loss.recent().mean() / parts - 0.5) < 0.02
            && loss.recent().volatility() < 0.01
            && norm.recent().mean() < 0.01,
        () -> new Evidence(
            Rule.numbers(
                "each", loss.recent().mean() / parts, "norm", norm.recent().mean(),
                "volatility", loss.recent().volatility()),
            scaled(run, "optimizer.discriminatorLearningRate", 1.2, 2, 0.4))));
  }

  private static Optional<Evidence> gradientExplosion(RunSummary run) {
    return run.measure("grad_norm_g").filter(Rules::enough).flatMap(norm -> {
      double reference = Math.min(norm.whole().mean(), norm.whole().first());
      return when(
          norm.recent().mean() > 10 * reference && norm.recent().max() > 20 * reference && reference > 0,
          () -> new Evidence(
              Rule.numbers("now", norm.recent().mean(), "max", norm.recent().max(), "usual", reference),
              scaled(run, RATE, 0.5, 0.8, 0.5)));
    });
  }

  private static Optional<Evidence> overfitting(RunSummary run) {
    Measure held = run.validation().get(HELD_MEL);
    Measure mel = run.measures().get(MEL);
    if (held == null || mel == null || held.recent().points() < MIN_VALIDATIONS + 1) {
      return Optional.empty();
    }
    double rise = held.recent().last() / held.best() - 1;
    double fall = mel.whole().first() == 0 ? 0 : 1 - mel.recent().mean() / mel.whole().first();
    return when(
        rise > 0.05 && held.bestStep() < run.step() && risesSince(held) && fall > 0.05 && mel.lateChange() < 0,
        () -> new Evidence(
            Rule.numbers(
                "now", held.recent().last(), "best", held.best(), "step", held.bestStep(),
                "training", mel.recent().mean()),
            List.of(new Change(
                "training.maxSteps", run.number("training.maxSteps").orElse(null), held.bestStep(), run.step(), 0.4))));
  }

  private static Optional<Evidence> discriminatorWinning(RunSummary run) {
    int parts = discriminators(run);
    return parts == 0 || run.step() < 2000 ? Optional.empty() : run.measure("loss/g/gen").flatMap(generator -> {
      Measure loss = run.measures().get("loss/d/total");
      return when(
          loss.recent().mean() / parts < 0.1 && generator.recent().mean() / parts > 0.7,
          () -> new Evidence(
              Rule.numbers("each", loss.recent().mean() / parts, "generator", generator.recent().mean() / parts),
              scaled(run, "optimizer.discriminatorLearningRate", 0.3, 0.7, 0.4)));
    });
  }

  private static Optional<Evidence> generatorWinning(RunSummary run) {
    int parts = discriminators(run);
    return parts == 0 || run.step() < 2000 ? Optional.empty() : run.measure("loss/g/gen").flatMap(generator -> {
      Measure loss = run.measures().get("loss/d/total");
      return when(
          generator.recent().mean() / parts < 0.12 && loss.recent().mean() / parts > 0.55,
          () -> new Evidence(
              Rule.numbers("each", loss.recent().mean() / parts, "generator", generator.recent().mean() / parts),
              scaled(run, "optimizer.discriminatorLearningRate", 1.2, 2, 0.3)));
    });
  }

  private static Optional<Evidence> durationStuck(RunSummary run) {
    Measure duration = run.measures().get("loss/g/dur");
    Measure mel = run.measures().get(MEL);
    if (duration == null || mel == null || !enough(duration) || run.step() < 2000) {
      return Optional.empty();
    }
    double melFall = 1 - mel.recent().mean() / mel.whole().first();
    double durationFall = 1 - duration.recent().mean() / duration.whole().first();
    return when(
        melFall > 0.2 && durationFall < 0.03 && duration.whole().min() > 0.9 * duration.whole().first(),
        () -> new Evidence(
            Rule.numbers(
                "now", duration.recent().mean(), "first", duration.whole().first(), "fall", percent(melFall)),
            List.of()));
  }

  private static Optional<Evidence> klCollapse(RunSummary run) {
    return run.measure("loss/g/kl").filter(Rules::enough).flatMap(kl -> when(
        run.step() >= 1000 && Math.abs(kl.recent().mean()) < 0.05,
        () -> new Evidence(
            Rule.numbers("now", kl.recent().mean(), "first", kl.whole().first()),
            scaled(run, "optimizer.klWeight", 0.3, 0.8, 0.5))));
  }

  private static Optional<Evidence> learningRateTooHigh(RunSummary run) {
    Measure mel = run.measures().get(MEL);
    Measure rate = run.measures().get("learning_rate");
    if (mel == null || rate == null || !enough(mel)) {
      return Optional.empty();
    }
    return when(
        rate.recent().last() >= 4e-4 && mel.recent().volatility() > 0.15 && mel.lateChange() > -0.02,
        () -> new Evidence(
            Rule.numbers(
                "rate", rate.recent().last(), "volatility", percent(mel.recent().volatility()),
                "late", percent(mel.lateChange())),
            scaled(run, RATE, 0.25, 0.5, 0.7)));
  }

  private static Optional<Evidence> learningRateGone(RunSummary run) {
    Measure rate = run.measures().get("learning_rate");
    Optional<Double> began = run.number(RATE);
    if (rate == null || began.isEmpty()) {
      return Optional.empty();
    }
    return when(
        rate.recent().last() < 0.02 * began.get(),
        () -> new Evidence(
            Rule.numbers("rate", rate.recent().last(), "began", began.get(), "epoch", run.epoch()),
            List.of(new Change(
                "optimizer.learningRateDecay", run.number("optimizer.learningRateDecay").orElse(null),
                0.999, 0.9999, 0.6))));
  }

  private static Optional<Evidence> batchTooSmall(RunSummary run) {
    Measure mel = run.measures().get(MEL);
    Optional<Double> size = run.number("data.batchSize");
    if (mel == null || size.isEmpty() || !enough(mel)) {
      return Optional.empty();
    }
    return when(
        size.get() <= 8 && mel.recent().volatility() > 0.2,
        () -> new Evidence(
            Rule.numbers("batch", size.get(), "volatility", percent(mel.recent().volatility())),
            scaled(run, "data.batchSize", 2, 4, 0.6)));
  }

  private static Optional<Evidence> fewBatches(RunSummary run) {
    return when(
        run.epoch() >= 10 && run.stepsPerEpoch() > 0 && run.stepsPerEpoch() < 8,
        () -> new Evidence(
            Rule.numbers("batches", run.stepsPerEpoch(), "epochs", run.epoch()),
            scaled(run, "data.batchSize", 0.25, 0.5, 0.4)));
  }

  private static Optional<Evidence> loaderBound(RunSummary run) {
    Measure wait = run.measures().get("perf/data_wait_ms");
    Measure pace = run.measures().get("perf/it_s");
    if (wait == null || pace == null || !enough(wait)) {
      return Optional.empty();
    }
    double share = wait.recent().mean() / 1000 * pace.recent().mean();
    List<Change> changes = new ArrayList<>(moreOf(run, "data.prefetchBatches", 4, 0.5));
    changes.addAll(moreOf(run, "data.decodeThreads", 2, 0.6));
    return when(
        share > 0.25,
        () -> new Evidence(
            Rule.numbers("wait", wait.recent().mean(), "share", percent(share), "pace", pace.recent().mean()), changes));
  }

  private static Optional<Evidence> slowingDown(RunSummary run) {
    return run.measure("perf/it_s").filter(Rules::enough).flatMap(pace -> when(
        pace.whole().points() >= MIN_POINTS && pace.recent().mean() < 0.6 * pace.whole().max()
            && pace.recent().volatility() < 0.35,
        () -> new Evidence(
            Rule.numbers(
                "now", pace.recent().mean(), "best", pace.whole().max(),
                "share", percent(1 - pace.recent().mean() / pace.whole().max())),
            List.of())));
  }

  private static Optional<Evidence> unstableThroughput(RunSummary run) {
    return run.measure("perf/it_s").filter(Rules::enough).flatMap(pace -> when(
        pace.recent().volatility() > 0.4,
        () -> new Evidence(
            Rule.numbers(
                "volatility", percent(pace.recent().volatility()), "min", pace.recent().min(),
                "max", pace.recent().max()),
            moreOf(run, "data.prefetchBatches", 4, 0.3))));
  }

  private static Optional<Evidence> plateau(RunSummary run) {
    Measure mel = run.measures().get(MEL);
    Measure ratio = run.validation().get(HELD_RATIO);
    if (mel == null || ratio == null || ratio.whole().points() < 8 || mel.whole().points() < 32) {
      return Optional.empty();
    }
    return when(
        run.step() >= 5000
            && Math.abs(mel.lateChange()) < 0.005
            && Math.abs(ratio.lateChange()) < 0.005
            && ratio.recent().last() > 0.55,
        () -> new Evidence(
            Rule.numbers(
                "mel", mel.recent().mean(), "late", percent(mel.lateChange()), "ratio", ratio.recent().last(),
                "heldLate", percent(ratio.lateChange())),
            scaled(run, RATE, 0.3, 0.7, 0.4)));
  }

  private static Optional<Evidence> lowUtilisation(RunSummary run) {
    return tagged(run, "gpu/", "util").flatMap(busy -> when(
            busy.recent().mean() < 50,
            () -> new Evidence(
                Rule.numbers("busy", busy.recent().mean(), "min", busy.recent().min()),
                scaled(run, run.number("data.batchFrames").isPresent() ? "data.batchFrames" : "data.batchSize",
                    1.5, 3, 0.5))));
  }

  /** The greatest measure of a group whose name holds a word: of several GPUs the run uses the busiest. */
  private static Optional<Measure> tagged(RunSummary run, String group, String word) {
    return run.measures().entrySet().stream()
        .filter(entry -> entry.getKey().startsWith(group) && entry.getKey().contains(word))
        .map(Map.Entry::getValue)
        .filter(Rules::enough)
        .max(Comparator.comparingDouble(measure -> measure.recent().mean()));
  }

  /** How many discriminators there are; 0 without enough of their losses. */
  private static int discriminators(RunSummary run) {
    if (run.measure("loss/d/total").filter(Rules::enough).isEmpty()) {
      return 0;
    }
    return (int) IntStream.iterate(0, i -> i + 1)
        .takeWhile(i -> run.measures().containsKey("loss/d_r/" + i))
        .count();
  }

  /** Whether the values since the best one lie above it on the whole: one outlier at the end is no trend. */
  private static boolean risesSince(Measure held) {
    return held.recent().slopePerThousandSteps() > 0 || held.lateChange() > 0;
  }

  private static boolean enough(Measure measure) {
    return measure.recent().points() >= MIN_POINTS;
  }

  private static List<Change> scaled(RunSummary run, String key, double low, double high, double confidence) {
    Optional<Double> current = run.number(key);
    if (current.isEmpty() && key.equals("optimizer.discriminatorLearningRate")) {
      current = run.number(RATE);
    }
    return current.map(value -> new Change(key, value, value * low, value * high, confidence)).stream().toList();
  }

  /** Two to four times a count of which 0 means "by the machine"; {@code few} is the least that helps then. */
  private static List<Change> moreOf(RunSummary run, String key, double few, double confidence) {
    return run.number(key)
        .map(count -> new Change(key, count, Math.max(few, 2 * count), Math.max(4 * few, 4 * count), confidence))
        .stream()
        .toList();
  }

  /** A share that the language shall write as a percentage. */
  private static Percent percent(double share) {
    return new Percent(share);
  }

  /** A share to be written as a percentage. */
  record Percent(double share) {}

  private static Optional<Evidence> when(boolean holds, Supplier<Evidence> evidence) {
    return holds ? Optional.of(evidence.get()) : Optional.empty();
  }
}
