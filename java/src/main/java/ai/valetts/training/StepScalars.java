package ai.valetts.training;

import ai.valetts.engine.StepMetrics;
import ai.valetts.engine.StepParams;
import java.util.LinkedHashMap;
import java.util.Map;

/** Names a step's measurements as VITS users know them. */
final class StepScalars {
  private final boolean durationDiscriminator;
  private final boolean lossScaled;
  private long generatorSkips;
  private long discriminatorSkips;
  private long durationDiscriminatorSkips;

  /**
   * @param lossScaled whether losses are scaled against underflow; counts of left-out steps begin with this object
   */
  StepScalars(boolean durationDiscriminator, boolean lossScaled) {
    this.durationDiscriminator = durationDiscriminator;
    this.lossScaled = lossScaled;
  }

  Map<String, Double> of(StepMetrics metrics, StepParams params, PaceMeter pace, double dataWaitSeconds) {
    Map<String, Double> scalars = new LinkedHashMap<>();
    scalars.put("loss/g/total", (double) metrics.generatorTotal());
    scalars.put("loss/d/total", (double) metrics.discriminator());
    scalars.put("loss/g/gen", (double) metrics.generatorAdversarial());
    scalars.put("loss/g/fm", (double) metrics.featureMatching());
    scalars.put("loss/g/mel", (double) metrics.mel());
    scalars.put("loss/g/mel_l1", (double) metrics.melL1());
    scalars.put("loss/g/kl", (double) metrics.kl());
    scalars.put("loss/g/dur", (double) metrics.duration());
    parts(scalars, "loss/g/", metrics.generatorParts());
    parts(scalars, "loss/d_r/", metrics.discriminatorRealParts());
    parts(scalars, "loss/d_g/", metrics.discriminatorGeneratedParts());
    scalars.put("grad_norm_g", (double) metrics.generatorGradientNorm());
    scalars.put("grad_norm_d", (double) metrics.discriminatorGradientNorm());
    if (durationDiscriminator) {
      scalars.put("loss/g/dur_gen", (double) metrics.durationAdversarial());
      scalars.put("loss/dur_disc/total", (double) metrics.durationDiscriminator());
      scalars.put("grad_norm_dur_disc", (double) metrics.durationDiscriminatorGradientNorm());
    }
    if (lossScaled) {
      scale(scalars, metrics);
    }
    scalars.put("learning_rate", params.generatorLearningRate());
    scalars.put("perf/it_s", pace.stepsPerSecond());
    scalars.put("perf/utterances_s", pace.utterancesPerSecond());
    scalars.put("perf/audio_hours_per_hour", pace.audioHoursPerHour());
    scalars.put("perf/data_wait_ms", dataWaitSeconds * 1000);
    return scalars;
  }

  private void scale(Map<String, Double> scalars, StepMetrics metrics) {
    generatorSkips += metrics.generatorSkipped() ? 1 : 0;
    discriminatorSkips += metrics.discriminatorSkipped() ? 1 : 0;
    scalars.put("amp/loss_scale", (double) metrics.lossScale());
    scalars.put("amp/skipped_g", (double) generatorSkips);
    scalars.put("amp/skipped_d", (double) discriminatorSkips);
    if (durationDiscriminator) {
      durationDiscriminatorSkips += metrics.durationDiscriminatorSkipped() ? 1 : 0;
      scalars.put("amp/skipped_dur_disc", (double) durationDiscriminatorSkips);
    }
  }

  private static void parts(Map<String, Double> scalars, String prefix, float[] values) {
    for (int i = 0; i < values.length; i++) {
      scalars.put(prefix + i, (double) values[i]);
    }
  }
}
