package ai.valetts.benchmarks;

import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.OptimizerConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.BatchAssembler;
import ai.valetts.data.BatchLoader;
import ai.valetts.data.BatchPosition;
import ai.valetts.data.Clip;
import ai.valetts.engine.Batch;
import ai.valetts.engine.BatchTotals;
import ai.valetts.engine.EngineConfig;
import ai.valetts.engine.EngineSystem;
import ai.valetts.engine.ModelDescription;
import ai.valetts.engine.StepMetrics;
import ai.valetts.engine.StepParams;
import ai.valetts.engine.StepPhase;
import ai.valetts.engine.TrainingSession;
import ai.valetts.engine.jni.NativeEngine;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Whole training steps of the real core, by the calls that training makes, over batches that lie in memory. Prints one
 * line of JSON: times, throughput, memory and the losses of the first and of the last step.
 *
 * <p>{@code --config NAME|FILE --batch N --seconds S|sampled --precision P --device D --threads N --warm-up N --steps N
 * --metrics-every N --set KEY=VALUE... --export FOLDER}. Metrics are read every so many steps; a step's time is then its share
 * of what it took until they were there. An export holds the initial weights and the batches for a peer.
 */
public final class TrainStepRun {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Symbols of the public reference's English. */
  private static final int VOCABULARY = 178;

  private static final int DISTINCT_BATCHES = 4;

  /** A sampled epoch has clips enough for batches of every length. */
  private static final int SAMPLED_CLIPS = 2000;

  private static final Set<String> NAMES =
      Set.of("config", "batch", "seconds", "precision", "device", "threads", "warm-up", "steps", "metrics-every", "export");

  private final Map<String, String> options = new HashMap<>();
  private final ValettsConfig config;

  private TrainStepRun(String[] arguments) {
    List<ConfigOverride> overrides = new ArrayList<>();
    for (int i = 0; i < arguments.length; i += 2) {
      String name = arguments[i].replaceFirst("^--", "");
      if (i + 1 == arguments.length || !(NAMES.contains(name) || name.equals("set"))) {
        throw new IllegalArgumentException(arguments[i] + " is unknown or has no value; there are --set and --" + NAMES);
      }
      if (name.equals("set")) {
        overrides.add(ConfigOverride.parse(arguments[i + 1]));
      } else {
        options.put(name, arguments[i + 1]);
      }
    }
    overrides.add(ConfigOverride.parse("data.batchSize=" + option("batch", "8")));
    String name = option("config", "base");
    config =
        ConfigLoader.BUNDLED.contains(name)
            ? ConfigLoader.bundled(name, overrides)
            : ConfigLoader.load(Path.of(name), overrides);
  }

  public static void main(String[] arguments) throws IOException {
    TrainStepRun run = new TrainStepRun(arguments);
    System.out.println(JSON.writeValueAsString(run.measure()));
  }

  private String option(String name, String otherwise) {
    return options.getOrDefault(name, otherwise);
  }

  private int number(String name, int otherwise) {
    return Integer.parseInt(option(name, String.valueOf(otherwise)));
  }

  private ObjectNode measure() throws IOException {
    NativeEngine engine = NativeEngine.open(cacheFolder());
    EngineConfig sizes = sizes();
    List<List<Clip>> clips = batches();
    try (TrainingSession session = engine.createSession(sizes)) {
      if (options.containsKey("export")) {
        export(Path.of(options.get("export")), session, clips);
      }
      BatchAssembler assembler =
          new BatchAssembler(
              new FormulaClips(config.audio().sampleRateHz()),
              config.audio().hopLength(),
              engine.batchMemory(sizes.device()));
      List<Batch> batches = clips.stream().map(assembler::assemble).toList();
      int warmUp = number("warm-up", 3);
      int steps = number("steps", 10);
      int metricsEvery = number("metrics-every", 1);
      List<StepMetrics> told = new ArrayList<>();
      take(session, batches, 0, warmUp, metricsEvery, told);
      // The peak of warm-up, with its searches for algorithms, is not the steps'.
      session.describe();
      long began = System.nanoTime();
      double[] millis = take(session, batches, warmUp, steps, metricsEvery, told);
      ModelDescription after = session.describe();
      double wallSeconds = (System.nanoTime() - began) / 1e9;
      return result(engine.system(), clips, batches, millis, wallSeconds, after, told, warmUp);
    }
  }

  static Path cacheFolder() {
    String configured = System.getenv("VALETTS_CACHE");
    return configured == null ? Path.of(System.getProperty("user.home"), ".cache", "valetts") : Path.of(configured);
  }

  private EngineConfig sizes() {
    Integer vocabulary = config.model().vocabularySize();
    Integer speakers = config.model().speakerCount();
    return new EngineConfig(
        config.audio(),
        config.model(),
        config.optimizer(),
        vocabulary == null ? VOCABULARY : vocabulary,
        speakers == null ? 1 : speakers,
        config.training().segmentSamples(),
        number("threads", 0),
        config.training().seed(),
        option("device", "auto"),
        option("precision", "fp32"),
        Boolean.TRUE.equals(config.training().referencePadding()));
  }

  private List<List<Clip>> batches() {
    int rateHz = config.audio().sampleRateHz();
    int hop = config.audio().hopLength();
    int vocabulary = sizes().vocabularySize();
    int size = config.data().batchSize();
    String seconds = option("seconds", "5.06");
    if (seconds.equals("sampled")) {
      return planned(FormulaClips.sampled(SAMPLED_CLIPS, 1, rateHz, hop, vocabulary));
    }
    List<Clip> clips =
        FormulaClips.ofLength(DISTINCT_BATCHES * size, Double.parseDouble(seconds), rateHz, hop, vocabulary);
    List<List<Clip>> batches = new ArrayList<>();
    for (int i = 0; i < DISTINCT_BATCHES; i++) {
      batches.add(clips.subList(i * size, (i + 1) * size));
    }
    return batches;
  }

  /** The first batches of an epoch as training plans it. */
  private List<List<Clip>> planned(List<Clip> clips) {
    Map<Long, Clip> byId = new HashMap<>();
    clips.forEach(clip -> byId.put(clip.id(), clip));
    int count = Math.max(1, number("warm-up", 3) + number("steps", 10));
    List<List<Clip>> batches = new ArrayList<>();
    try (BatchLoader loader =
        new BatchLoader(
            clips, clip -> new float[clip.samples()], config.data(), config.audio(), 1, BatchPosition.START)) {
      int inEpoch = Math.min(count, loader.batchesPerEpoch());
      for (int i = 0; i < inEpoch; i++) {
        try (Batch batch = loader.next()) {
          List<Clip> chosen = new ArrayList<>();
          for (int b = 0; b < batch.size(); b++) {
            chosen.add(byId.get(batch.storage().utteranceIds.get(b)));
          }
          batches.add(chosen);
        }
      }
    }
    return batches;
  }

  /** Milliseconds of each of so many steps; the last metrics are read when it returns. */
  private double[] take(
      TrainingSession session, List<Batch> batches, int first, int count, int metricsEvery, List<StepMetrics> told) {
    double[] millis = new double[count];
    long start = System.nanoTime();
    int unread = 0;
    for (int i = 0; i < count; i++) {
      step(session, batches, first + i);
      unread++;
      if (unread == metricsEvery || i + 1 == count) {
        told.addAll(session.readMetrics());
        long now = System.nanoTime();
        Arrays.fill(millis, i + 1 - unread, i + 1, (now - start) / 1e6 / unread);
        start = now;
        unread = 0;
      }
    }
    return millis;
  }

  private void step(TrainingSession session, List<Batch> batches, int step) {
    Batch batch = batches.get(step % batches.size());
    OptimizerConfig optimizer = config.optimizer();
    double rate = optimizer.learningRate();
    StepParams params =
        new StepParams(step, rate, rate, rate, optimizer.melWeight(), optimizer.klWeight(), 0, 0, BatchTotals.OWN)
            .over(batch.totals(config.audio().hopLength()));
    for (StepPhase phase : StepPhase.values()) {
      session.accumulate(phase, batch, params);
      session.applyUnread(phase, params);
      if (phase == StepPhase.DISCRIMINATORS) {
        session.prefetch(batches.get((step + 1) % batches.size()));
      }
    }
  }

  private ObjectNode result(
      EngineSystem system,
      List<List<Clip>> clips,
      List<Batch> batches,
      double[] millis,
      double wallSeconds,
      ModelDescription after,
      List<StepMetrics> told,
      int warmUp) {
    double rateHz = config.audio().sampleRateHz();
    double utterances = 0;
    double realSeconds = 0;
    double paddedSeconds = 0;
    for (int step = 0; step < millis.length; step++) {
      int index = (warmUp + step) % batches.size();
      Batch batch = batches.get(index);
      utterances += batch.size();
      realSeconds += batch.seconds((int) rateHz);
      paddedSeconds += (double) batch.size() * batch.maxSamples() / rateHz;
    }
    double[] sorted = millis.clone();
    Arrays.sort(sorted);
    double steps = millis.length;
    boolean sampled = option("seconds", "5.06").equals("sampled");
    // Batches of one length differ by chance alone, so that their median tells most; others have to be added up.
    double perStep = steps == 0 ? 0 : sampled ? wallSeconds / steps : quantile(sorted, 0.5) / 1e3;
    ObjectNode out = JSON.createObjectNode();
    out.put("arm", "ours");
    out.put("machine", after.device());
    out.put("version", system.coreVersion() + ", libtorch " + system.libtorchVersion() + ", " + system.cpuCapability());
    out.put("config", config.name()).put("batch", config.data().batchSize()).put("seconds", option("seconds", "5.06"));
    out.put("frames", batches.get(0).maxSamples() / config.audio().hopLength());
    out.put("symbols", clips.get(0).get(0).tokenIds().length);
    out.put("precision", option("precision", "fp32")).put("threads", system.threads());
    out.put("warmUp", warmUp).put("steps", millis.length).put("metricsEvery", number("metrics-every", 1));
    if (steps > 0) {
      out.put("medianMs", quantile(sorted, 0.5)).put("p10Ms", quantile(sorted, 0.1)).put("p90Ms", quantile(sorted, 0.9));
      out.put("wallMsPerStep", wallSeconds * 1e3 / steps);
      out.put("stepsPerSecond", 1 / perStep).put("utterancesPerSecond", utterances / steps / perStep);
      out.put("audioPerSecond", realSeconds / steps / perStep).put("paddedPerSecond", paddedSeconds / steps / perStep);
    }
    out.put("deviceAllocatedBytes", after.deviceAllocatedBytes()).put("devicePeakBytes", after.devicePeakBytes());
    out.put("processPeakBytes", after.processPeakBytes()).put("recordedKernels", after.recordedKernels());
    if (!told.isEmpty()) {
      StepMetrics first = told.get(0);
      putLosses(out.putObject("losses"), first);
      putLosses(out.putObject("lastLosses"), told.get(told.size() - 1));
      ObjectNode norms = out.putObject("gradientNorms");
      norms.put("generator", first.generatorGradientNorm()).put("discriminator", first.discriminatorGradientNorm());
      norms.put("durationDiscriminator", first.durationDiscriminatorGradientNorm());
    }
    return out;
  }

  private static void putLosses(ObjectNode losses, StepMetrics metrics) {
    losses.put("generator", metrics.generatorTotal()).put("adversarial", metrics.generatorAdversarial());
    losses.put("featureMatching", metrics.featureMatching()).put("mel", metrics.mel()).put("kl", metrics.kl());
    losses.put("duration", metrics.duration()).put("durationAdversarial", metrics.durationAdversarial());
    losses.put("discriminator", metrics.discriminator()).put("durationDiscriminator", metrics.durationDiscriminator());
  }

  private static double quantile(double[] sorted, double share) {
    return sorted[(int) Math.round(share * (sorted.length - 1))];
  }

  /** {@code batches.json}, {@code batch-N.f32} (recordings one after the other, not padded) and {@code weights/}. */
  private void export(Path folder, TrainingSession session, List<List<Clip>> batches) throws IOException {
    Path weights = Files.createDirectories(folder.resolve("weights"));
    session.save(weights);
    EngineConfig sizes = sizes();
    ObjectNode root = JSON.createObjectNode();
    root.set("audio", JSON.valueToTree(config.audio()));
    root.set("model", JSON.valueToTree(config.model().sized(sizes.vocabularySize(), sizes.speakerCount())));
    root.set("optimizer", JSON.valueToTree(config.optimizer()));
    root.put("segmentSamples", sizes.segmentSamples()).put("seed", sizes.seed());
    ArrayNode list = root.putArray("batches");
    FormulaClips sounds = new FormulaClips(config.audio().sampleRateHz());
    for (int i = 0; i < batches.size(); i++) {
      ObjectNode batch = list.addObject();
      ArrayNode tokens = batch.putArray("tokens");
      ArrayNode samples = batch.putArray("samples");
      ArrayNode ids = batch.putArray("ids");
      int total = batches.get(i).stream().mapToInt(Clip::samples).sum();
      ByteBuffer bytes = ByteBuffer.allocate(total * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      for (Clip clip : batches.get(i)) {
        tokens.add(JSON.valueToTree(clip.tokenIds()));
        samples.add(clip.samples());
        ids.add(clip.id());
        bytes.asFloatBuffer().put(sounds.samples(clip));
        bytes.position(bytes.position() + clip.samples() * Float.BYTES);
      }
      Files.write(folder.resolve("batch-" + i + ".f32"), bytes.array());
    }
    JSON.writeValue(folder.resolve("batches.json").toFile(), root);
  }
}
