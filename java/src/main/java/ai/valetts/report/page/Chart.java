package ai.valetts.report.page;

import java.util.List;

/**
 * One chart of the page.
 *
 * @param section it stands in
 * @param title above it
 * @param hint what to look for, for someone new to it
 * @param tags of its curves; one that ends in {@code *} stands for all that begin so
 * @param logarithmic whether the upright axis is
 */
record Chart(String section, String title, String hint, List<String> tags, boolean logarithmic) {
  private static final String LOSSES = "Losses";
  private static final String HELD_OUT = "Held-out clips";
  private static final String SPEED = "Speed and machine";

  private static final String SPENT = "Spent so far, and what it will be when the run ends.";

  static final List<Chart> ALL =
      List.of(
          linear(HELD_OUT, "Mel L1, held out", "How far reconstructions are from recordings that are never trained on."
              + " Should fall; a rise while the training loss falls is overfitting.", "val/mel_l1"),
          linear(HELD_OUT, "Against a constant spectrum", "Mel L1 divided by that of the best constant spectrum: at 1"
              + " nothing is learnt.", "val/mel_ratio"),
          linear(HELD_OUT, "KL, held out", "Distance between what text and what speech say, in nats per frame.", "val/kl"),
          linear(HELD_OUT, "Duration error, held out", "Mean error of the logarithm of a symbol's length.",
              "val/duration_error"),
          linear(LOSSES, "Mel L1", "The plainest sign of progress: falls fast, then slowly.", "loss/g/mel_l1"),
          linear(LOSSES, "KL", "Falls as text and speech find each other.", "loss/g/kl"),
          linear(LOSSES, "Duration", "How badly the rhythm is foretold.", "loss/g/dur", "loss/g/dur_gen"),
          linear(LOSSES, "Feature matching", "Rises as the discriminators sharpen; levelling off is healthy.", "loss/g/fm"),
          linear(LOSSES, "Generator against discriminators", "A balance: neither should go to zero.", "loss/g/gen",
              "loss/d/total"),
          linear(LOSSES, "Duration discriminator", "", "loss/dur_disc/total"),
          linear(LOSSES, "Generator, total", "The weighted sum.", "loss/g/total"),
          new Chart(LOSSES, "Gradient norms", "Spikes are normal; a steady climb is not.",
              List.of("grad_norm_g", "grad_norm_d", "grad_norm_dur_disc"), true),
          linear(LOSSES, "Learning rate", "", "learning_rate"),
          new Chart(LOSSES, "Loss scale (fp16)", "Halves when gradients overflow.", List.of("amp/loss_scale"), true),
          linear(LOSSES, "Steps left out (fp16)", "Since the run was last started.", "amp/skipped_g", "amp/skipped_d",
              "amp/skipped_dur_disc"),
          linear(SPEED, "Steps per second", "", "perf/it_s"),
          linear(SPEED, "Hours of audio per hour", "", "perf/audio_hours_per_hour"),
          linear(SPEED, "Wait for data, ms", "Near zero unless loading is too slow.", "perf/data_wait_ms"),
          linear(SPEED, "GPU utilization, %", "", "gpu/*utilization_percent"),
          linear(SPEED, "GPU memory, GiB", "", "gpu/*memory_gib"),
          linear(SPEED, "GPU power, W", "", "gpu/*power_w"),
          linear(SPEED, "GPU temperature, °C", "", "gpu/*temperature_c"),
          linear(SPEED, "Memory of the process, GiB", "Should not creep up.", "machine/memory_gib"),
          linear(SPEED, "Processor cores in use", "", "machine/cpu_cores"),
          linear(SPEED, "Cost, USD", SPENT, "cost/usd", "cost/usd_at_end"),
          linear(SPEED, "Cost, compute units", SPENT, "cost/units", "cost/units_at_end"));

  private static Chart linear(String section, String title, String hint, String... tags) {
    return new Chart(section, title, hint, List.of(tags), false);
  }

  /** The tags among these that it shows. */
  List<String> among(Iterable<String> known) {
    java.util.ArrayList<String> shown = new java.util.ArrayList<>();
    for (String tag : tags) {
      int star = tag.indexOf('*');
      for (String candidate : known) {
        boolean matches =
            star < 0
                ? candidate.equals(tag)
                : candidate.startsWith(tag.substring(0, star)) && candidate.endsWith(tag.substring(star + 1));
        if (matches) {
          shown.add(candidate);
        }
      }
    }
    return shown;
  }
}
