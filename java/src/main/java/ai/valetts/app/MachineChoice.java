package ai.valetts.app;

import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ConfigWriter;
import ai.valetts.config.GpuProfile;
import ai.valetts.config.TrainingConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.engine.EngineSystem;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Settles what a configuration leaves to the machine, once for each run, and says what was chosen. */
final class MachineChoice {
  static final String AUTO = "auto";

  private static final String FULL = "fp32";
  private static final int USUAL_PREFETCH = 4;

  private final EngineSystem system;
  private final int processors;
  private final Consumer<String> notice;

  MachineChoice(EngineSystem system, Consumer<String> notice) {
    this(system, Runtime.getRuntime().availableProcessors(), notice);
  }

  MachineChoice(EngineSystem system, int processors, Consumer<String> notice) {
    this.system = system;
    this.processors = processors;
    this.notice = notice;
  }

  /** The configuration of a new run: precision, profile and loading are no longer open. */
  ValettsConfig forNewRun(ValettsConfig config) {
    TrainingConfig training = config.training();
    String device = deviceName(training.device());
    boolean open = AUTO.equals(training.precision()) || training.profile() != null;
    if (!open) {
      return withLoading(config, null, new ArrayList<>());
    }
    String name = training.profile() == null || training.profile().equals(AUTO)
        ? GpuProfile.of(device).orElse(null)
        : training.profile();
    GpuProfile profile = name == null ? null : GpuProfile.named(name);
    List<ConfigOverride> overrides = new ArrayList<>();
    overrides.add(override("training.profile", name));
    String precision = training.precision();
    if (precision == null || precision.equals(AUTO)) {
      precision = profile == null ? GpuProfile.precisionOf(device) : profile.training().precision();
      overrides.add(override("training.precision", precision));
    }
    notice.accept((name == null
            ? "There is no profile for \"" + device + "\"; its name tells the precision: "
            : "Profile " + name + (device.isEmpty() ? "" : " for " + device) + ": ")
        + precision + ".");
    return withLoading(config, training.profile() == null ? null : profile, overrides);
  }

  /**
   * The configuration to go on with. A run keeps the precision it began with unless another is asked for by name.
   *
   * @param saved of the checkpoint
   */
  ValettsConfig forResumed(ValettsConfig saved, ValettsConfig requested) {
    TrainingConfig before = saved.training();
    TrainingConfig wanted = requested.training();
    String device = deviceName(wanted.device());
    List<ConfigOverride> overrides = new ArrayList<>();
    boolean profileChosen = wanted.profile() != null && !wanted.profile().equals(before.profile());
    if (AUTO.equals(wanted.precision()) || wanted.precision() == null && profileChosen) {
      overrides.add(override("training.precision", before.precision()));
    } else if (!plain(wanted.precision()).equals(plain(before.precision()))) {
      notice.accept("The run goes on in " + plain(wanted.precision()) + " instead of " + plain(before.precision())
          + ", as asked: losses differ a little from here.");
      return withLoading(requested, null, overrides);
    }
    Optional<String> own = GpuProfile.of(device);
    String suited = own.map(name -> GpuProfile.named(name).training().precision())
        .orElseGet(() -> GpuProfile.precisionOf(device));
    if (before.profile() != null && !suited.equals(plain(before.precision()))) {
      notice.accept("The run keeps " + plain(before.precision()) + ", with which it began on " + before.profile() + "; "
          + (device.isEmpty() ? "the CPU" : device) + " would be given " + suited + ": --precision " + suited
          + " changes it.");
    }
    GpuProfile profile = null;
    if (wanted.profile() != null) {
      String name = wanted.profile().equals(AUTO) ? own.orElse(null) : wanted.profile();
      profile = name == null ? null : GpuProfile.named(name);
      overrides.add(override("training.profile", before.profile() == null ? name : before.profile()));
    }
    return withLoading(requested, profile, overrides);
  }

  /** The name of the device that the core will compute on; empty for the CPU. */
  private String deviceName(String device) {
    List<String> gpus = system.cudaDevices();
    if (device.equals("cpu") || gpus.isEmpty()) {
      return "";
    }
    int index = device.startsWith("cuda:") ? Integer.parseInt(device.substring("cuda:".length())) : 0;
    return index < gpus.size() ? gpus.get(index) : "";
  }

  private ValettsConfig withLoading(ValettsConfig config, GpuProfile profile, List<ConfigOverride> overrides) {
    if (config.data().decodeThreads() == 0 && profile != null && profile.data().decodeThreads() > 0) {
      int threads = Math.min(processors, profile.data().decodeThreads());
      overrides.add(new ConfigOverride("data.decodeThreads", String.valueOf(threads), "the profile"));
    }
    if (config.data().prefetchBatches() == 0) {
      int batches = profile == null ? USUAL_PREFETCH : profile.data().prefetchBatches();
      overrides.add(new ConfigOverride("data.prefetchBatches", String.valueOf(batches), "the profile"));
    }
    return overrides.isEmpty()
        ? config
        : ConfigLoader.parse(config.name(), ConfigWriter.write(config), overrides);
  }

  private static ConfigOverride override(String key, String value) {
    return new ConfigOverride(key, value == null ? "null" : value, key);
  }

  private static String plain(String precision) {
    return precision == null ? FULL : precision;
  }
}
