package ai.valetts.benchmarks;

import ai.valetts.audio.WavWriter;
import ai.valetts.config.AudioConfig;
import ai.valetts.config.DataConfig;
import ai.valetts.config.TextConfig;
import ai.valetts.data.DatasetPreparation;
import ai.valetts.data.PreparationProgress;
import ai.valetts.data.PreparedData;
import ai.valetts.data.corpus.Corpus;
import ai.valetts.data.corpus.CorpusReader;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** Clips of noise and tones, each different, with texts; and their preparation as a run would do it. */
final class SyntheticCorpus {
  static final int RATE_HZ = 22050;
  static final AudioConfig AUDIO = new AudioConfig(RATE_HZ, 1024, 256, 1024, 80, 0f, 0f);
  static final TextConfig TEXT = new TextConfig("characters", "en-us", false, 400);

  private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz ";

  private SyntheticCorpus() {}

  /** Writes an LJSpeech folder unless it is there. */
  static Path folder(Path folder, int clips, double seconds) {
    try {
      Path metadata = folder.resolve("metadata.csv");
      if (Files.exists(metadata)) {
        return folder;
      }
      Files.createDirectories(folder.resolve("wavs"));
      StringBuilder rows = new StringBuilder();
      for (int i = 0; i < clips; i++) {
        Random random = new Random(i);
        float[] samples = new float[(int) (seconds * RATE_HZ)];
        double pitch = 2 * Math.PI * (80 + random.nextInt(300)) / RATE_HZ;
        for (int n = 0; n < samples.length; n++) {
          samples[n] = (float) (0.4 * Math.sin(pitch * n) + 0.02 * (random.nextFloat() - 0.5));
        }
        WavWriter.write(folder.resolve("wavs/c" + i + ".wav"), samples, RATE_HZ);
        rows.append('c').append(i).append('|');
        for (int n = 0; n < 45; n++) {
          rows.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        rows.append(".\n");
      }
      Files.writeString(metadata, rows);
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static DataConfig config(Path folder, int batchSize, Integer batchFrames) {
    return new DataConfig(
        List.of(new DataConfig.Source(folder.toString(), "synthetic", null)),
        batchSize,
        batchFrames,
        List.of(300, 600, 1500),
        0.4,
        17.4,
        null,
        null,
        null,
        null,
        0,
        0.01,
        0,
        4);
  }

  static PreparedData prepare(DataConfig config, Path cache) {
    List<Corpus> corpora = CorpusReader.read(config.sources(), cache, config.threads(), System.err::println);
    try (TextFrontEnd frontEnd =
        TextFrontEnds.open(TEXT, () -> DatasetPreparation.texts(corpora, TEXT), System.err::println)) {
      return DatasetPreparation.prepare(corpora, config, TEXT, AUDIO, frontEnd, cache, new Silent()).usable();
    }
  }

  private static final class Silent implements PreparationProgress {
    @Override
    public void notice(String text) {
      System.err.println(text);
    }

    @Override
    public void step(String what, long done, long total) {
      if (done % 5000 == 0) {
        System.err.println(what + ": " + done);
      }
    }
  }
}
