package ai.valetts.app;

import ai.valetts.config.ValettsConfig;
import ai.valetts.data.BatchAssembler;
import ai.valetts.data.Clip;
import ai.valetts.data.PreparedData;
import ai.valetts.engine.Batch;
import ai.valetts.engine.BatchTotals;
import ai.valetts.engine.Engine;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.EngineOutOfMemoryException;
import ai.valetts.engine.ModelDescription;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.TrainingSession;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How many utterances go through the networks at once: what the configuration says; else what was learnt on this device
 * with this configuration; else what a measured step on the longest recordings shows to fit into nine tenths of the GPU's
 * free memory. On the CPU a batch goes through in one piece.
 */
final class MicroBatch {
  private static final double USABLE = 0.9;

  private final Engine engine;
  private final Path memory;
  private final Consumer<String> notice;

  /**
   * @param cacheFolder where choices are remembered
   * @param notice told what was measured
   */
  MicroBatch(Engine engine, Path cacheFolder, Consumer<String> notice) {
    this.engine = engine;
    this.memory = cacheFolder.resolve("micro-batches");
    this.notice = notice;
  }

  /** Most utterances at once, at least 1. To be asked before the run's own session takes memory. */
  int choose(ValettsConfig config, EngineConfig engineConfig, PreparedData data) {
    int largest = largestBatch(config, data);
    if (config.training().microBatch() != null) {
      return Math.min(largest, config.training().microBatch());
    }
    if (Boolean.TRUE.equals(config.training().referencePadding())) {
      return largest;
    }
    Optional<Integer> known = RunDirectory.readJson(file(config, engineConfig, data))
        .map(saved -> saved.get("utterances"))
        .filter(Integer.class::isInstance)
        .map(Integer.class::cast);
    if (known.isPresent()) {
      return Math.max(1, Math.min(largest, known.get()));
    }
    if (!onGpu(engineConfig.device())) {
      return largest;
    }
    int measured = measure(config, engineConfig, data, largest);
    remember(measured, config, engineConfig, data);
    return measured;
  }

  /** For the next run with this device and configuration. */
  void remember(int utterances, ValettsConfig config, EngineConfig engineConfig, PreparedData data) {
    Path file = file(config, engineConfig, data);
    try {
      Files.createDirectories(file.getParent());
      RunDirectory.writeJson(file, Map.of("device", device(engineConfig.device()), "utterances", utterances));
    } catch (IOException | UncheckedIOException e) {
      notice.accept("The size of micro-batches could not be remembered in " + file + ": " + e.getMessage());
    }
  }

  private int measure(ValettsConfig config, EngineConfig engineConfig, PreparedData data, int largest) {
    List<Clip> longest =
        data.training().stream().sorted(Comparator.comparingInt(Clip::samples).reversed()).limit(largest).toList();
    BatchAssembler assembler = new BatchAssembler(data, config.audio().hopLength());
    try (TrainingSession session = engine.createSession(engineConfig)) {
      ModelDescription start = session.describe();
      if (start.deviceTotalBytes() == 0) {
        return largest;
      }
      double usable = USABLE * (start.deviceFreeBytes() + start.devicePeakBytes());
      int fitting = 0;
      double peak = 0;
      double perUtterance = 0;
      for (int count = 1; fitting < largest; count = Math.min(largest, count * 2)) {
        double now;
        try (Batch batch = assembler.assemble(longest.subList(0, Math.min(count, longest.size())))) {
          session.step(batch, still(count));
          now = session.describe().devicePeakBytes();
        } catch (EngineOutOfMemoryException e) {
          session.discard();
          break;
        }
        if (now > usable) {
          break;
        }
        perUtterance = (now - peak) / (count - fitting);
        fitting = count;
        peak = now;
      }
      // Between the last size that fits and the first that does not, memory grows evenly.
      int more = perUtterance > 0 && fitting < largest ? (int) ((usable - peak) / perUtterance) : 0;
      int chosen = Math.max(1, Math.min(largest, fitting + Math.max(0, Math.min(more, fitting - 1))));
      notice.accept(String.format(Locale.ROOT,
          "micro-batch: %d of up to %d utterances at once; the %d longest recordings took %.1f of %.1f GiB",
          chosen, largest, fitting, peak / (1L << 30), start.deviceTotalBytes() / (double) (1L << 30)));
      return chosen;
    }
  }

  /** A step that changes no weight. */
  private static StepParams still(long step) {
    return new StepParams(step, 0, 0, 0, 45, 1, 0, 0, BatchTotals.OWN);
  }

  /** Most utterances that a batch can hold. */
  private static int largestBatch(ValettsConfig config, PreparedData data) {
    return Math.min(config.data().batchSize(), data.training().size());
  }

  private boolean onGpu(String device) {
    return !device.equals("cpu") && !engine.system().cudaDevices().isEmpty();
  }

  private String device(String device) {
    List<String> names = engine.system().cudaDevices();
    if (!onGpu(device)) {
      return "cpu";
    }
    int index = device.startsWith("cuda:") ? Integer.parseInt(device.substring("cuda:".length())) : 0;
    return names.get(Math.min(index, names.size() - 1));
  }

  private Path file(ValettsConfig config, EngineConfig engineConfig, PreparedData data) {
    int longest = data.training().stream().mapToInt(Clip::samples).max().orElse(0);
    String key = String.join("|", device(engineConfig.device()), engineConfig.model().toString(),
        engineConfig.audio().toString(), engineConfig.precision(), "" + engineConfig.vocabularySize(),
        "" + engineConfig.speakerCount(), "" + engineConfig.segmentSamples(), "" + longest,
        "" + (engineConfig.optimizer().averageDecay() != null),
        "" + config.data().batchSize(), "" + config.data().batchFrames());
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      return memory.resolve(HexFormat.of().formatHex(digest).substring(0, 16) + ".json");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java runtime has SHA-256", e);
    }
  }
}
