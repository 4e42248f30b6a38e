package ai.valetts.training;

import ai.valetts.engine.StepMetrics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What was not finite in a step. */
final class StepHealth {
  private StepHealth() {}

  /** Networks that were left as they were, by name. */
  static List<String> skipped(StepMetrics metrics) {
    List<String> networks = new ArrayList<>();
    if (metrics.discriminatorSkipped()) {
      networks.add("discriminator");
    }
    if (metrics.durationDiscriminatorSkipped()) {
      networks.add("duration discriminator");
    }
    if (metrics.generatorSkipped()) {
      networks.add("generator");
    }
    return networks;
  }

  /**
   * Whether the step is what a loss scale is for: every loss is finite, gradients overflowed only because they were scaled
   * up, and the scale has been halved.
   */
  static boolean scaleTooLarge(StepMetrics metrics) {
    return metrics.lossScale() > 1 && !skipped(metrics).isEmpty() && brokenLosses(metrics).isEmpty();
  }

  /** Losses that are not finite, by name. */
  static List<String> brokenLosses(StepMetrics metrics) {
    Map<String, Float> losses = new LinkedHashMap<>();
    losses.put("discriminator loss", metrics.discriminator());
    losses.put("duration discriminator loss", metrics.durationDiscriminator());
    losses.put("generator adversarial loss", metrics.generatorAdversarial());
    losses.put("feature matching loss", metrics.featureMatching());
    losses.put("mel loss", metrics.mel());
    losses.put("KL loss", metrics.kl());
    losses.put("duration loss", metrics.duration());
    losses.put("duration adversarial loss", metrics.durationAdversarial());
    return losses.entrySet().stream().filter(loss -> !Float.isFinite(loss.getValue())).map(Map.Entry::getKey).toList();
  }

  /** One sentence on a step that left a network out. */
  static String describe(StepMetrics metrics) {
    List<String> broken = brokenLosses(metrics);
    String cause = broken.isEmpty() ? "its gradient was not finite" : String.join(" and ", broken) + " not finite";
    return "the " + String.join(" and the ", skipped(metrics)) + " stayed as before (" + cause + ").";
  }
}
