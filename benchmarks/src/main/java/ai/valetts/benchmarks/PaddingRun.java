package ai.valetts.benchmarks;

import ai.valetts.audio.AudioReader;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.BatchLoader;
import ai.valetts.data.BatchPosition;
import ai.valetts.data.Clip;
import ai.valetts.engine.Batch;
import ai.valetts.engine.jni.NativeEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How much of a batch is padding: whole epochs through the loader that training uses, without a model. Prints one row of a
 * Markdown table. Arguments: {@code sampled} (22,910 clips, gamma-distributed) or a folder of recordings, epochs, then
 * {@code KEY=VALUE} settings over {@code base.yaml}.
 */
public final class PaddingRun {
  private static final int SAMPLED_CLIPS = 22910;
  private static final Pattern RECORDING = Pattern.compile("\\.(wav|flac|mp3|ogg|opus|g722)$");

  private PaddingRun() {}

  public static void main(String[] arguments) throws IOException {
    List<ConfigOverride> overrides = new ArrayList<>();
    for (int i = 2; i < arguments.length; i++) {
      overrides.add(ConfigOverride.parse(arguments[i]));
    }
    ValettsConfig config = ConfigLoader.bundled("base", overrides);
    int rateHz = config.audio().sampleRateHz();
    int hop = config.audio().hopLength();
    List<Clip> clips =
        arguments[0].equals("sampled")
            ? FormulaClips.sampled(SAMPLED_CLIPS, 1, rateHz, hop, 2)
            : ofRecordings(Path.of(arguments[0]), config);
    long realFrames = 0;
    long paddedFrames = 0;
    long realTokens = 0;
    long paddedTokens = 0;
    int batches = 0;
    int epochs = Integer.parseInt(arguments[1]);
    try (BatchLoader loader =
        new BatchLoader(
            clips, clip -> new float[clip.samples()], config.data(), config.audio(), 1, BatchPosition.START)) {
      while (loader.position().epoch() < epochs) {
        try (Batch batch = loader.next()) {
          realFrames += batch.totals(hop).frames();
          realTokens += batch.totals(hop).tokens();
          paddedFrames += (long) batch.size() * (batch.maxSamples() / hop);
          paddedTokens += (long) batch.size() * batch.maxTokens();
          batches++;
        }
      }
    }
    System.out.printf(
        Locale.ROOT, "| %s | %,d | %s | %,d | %.1f | %.3f | %.3f |%n",
        arguments[0].equals("sampled") ? "gamma, 1.02 to 16.95 s, mean 5.06 s" : Path.of(arguments[0]).getFileName(),
        clips.size(), String.join(", ", List.of(arguments).subList(2, arguments.length)), batches / epochs,
        (double) clips.size() * epochs / batches, (double) paddedFrames / realFrames, (double) paddedTokens / realTokens);
  }

  private static List<Clip> ofRecordings(Path folder, ValettsConfig config) throws IOException {
    int rateHz = config.audio().sampleRateHz();
    NativeEngine.prepareProcess(TrainStepRun.cacheFolder());
    List<Clip> clips = new ArrayList<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(path -> RECORDING.matcher(path.toString()).find()).sorted().toList()) {
        double seconds = (double) AudioReader.read(file, rateHz).samples().length / rateHz;
        if (seconds >= config.data().minSeconds() && seconds <= config.data().maxSeconds()) {
          clips.add(FormulaClips.ofSeconds(clips.size(), seconds, rateHz, config.audio().hopLength(), 2));
        }
      }
    }
    return clips;
  }
}
