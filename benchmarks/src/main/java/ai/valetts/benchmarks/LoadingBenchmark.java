package ai.valetts.benchmarks;

import ai.valetts.audio.AudioReader;
import ai.valetts.audio.DecodedAudio;
import ai.valetts.audio.WavWriter;
import ai.valetts.config.DataConfig;
import ai.valetts.config.TextConfig;
import ai.valetts.data.BatchAssembler;
import ai.valetts.data.BatchLoader;
import ai.valetts.data.BatchPosition;
import ai.valetts.data.Clip;
import ai.valetts.data.PreparedData;
import ai.valetts.engine.Batch;
import ai.valetts.text.EncodedText;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** What a recording and a text cost on their way into a batch. Each answer is checked before it is timed. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class LoadingBenchmark {
  private static final double SECONDS = 3;

  /** One recording of three seconds, at the run's rate and as a recorder leaves it. */
  @State(Scope.Benchmark)
  public static class Recordings {
    Path plain;
    Path fast;

    @Setup
    public void write() throws IOException {
      Path folder = Files.createTempDirectory("valetts-benchmark");
      plain = folder.resolve("plain.wav");
      fast = folder.resolve("fast.wav");
      WavWriter.write(plain, tone(SyntheticCorpus.RATE_HZ), SyntheticCorpus.RATE_HZ);
      WavWriter.write(fast, tone(48000), 48000);
      require(AudioReader.read(plain, SyntheticCorpus.RATE_HZ).samples().length == (int) (SECONDS * 22050));
      require(Math.abs(AudioReader.read(fast, SyntheticCorpus.RATE_HZ).samples().length - SECONDS * 22050) < 10);
    }

    private static float[] tone(int rateHz) {
      float[] samples = new float[(int) (SECONDS * rateHz)];
      for (int i = 0; i < samples.length; i++) {
        samples[i] = (float) (0.4 * Math.sin(0.1 * i));
      }
      return samples;
    }

    @TearDown
    public void delete() throws IOException {
      Files.delete(plain);
      Files.delete(fast);
      Files.delete(plain.getParent());
    }
  }

  /** A sentence of Brazilian Portuguese with a number and an amount in it. */
  @State(Scope.Benchmark)
  public static class Sentences {
    static final String SENTENCE = "Às 14h30 ela pagou R$ 12,50 pelos três livros que a Dra. Ana tinha deixado.";
    TextFrontEnd frontEnd;

    @Setup
    public void open() {
      TextConfig config = new TextConfig("espeak", "pt-br", "full", null, false, 400);
      frontEnd = TextFrontEnds.open(config, List::of, System.err::println);
      require(frontEnd.encode(SENTENCE, "pt-br").phonemeCount() > 60);
    }

    @TearDown
    public void close() {
      frontEnd.close();
    }
  }

  /** Prepared clips of three seconds. */
  @State(Scope.Benchmark)
  public static class Prepared {
    private static final int CLIPS = 512;
    private static final int BATCH = 32;
    private Path folder;
    PreparedData data;
    DataConfig config;
    List<Clip> batch;
    BatchAssembler assembler;
    BatchLoader loader;

    @Setup(Level.Trial)
    public void prepare() throws IOException {
      folder = Files.createTempDirectory("valetts-benchmark");
      config = SyntheticCorpus.config(SyntheticCorpus.folder(folder.resolve("corpus"), CLIPS, SECONDS), BATCH, null);
      data = SyntheticCorpus.prepare(config, folder.resolve("cache"));
      batch = data.training().subList(0, BATCH);
      assembler = new BatchAssembler(data, SyntheticCorpus.AUDIO.hopLength());
      loader = new BatchLoader(data.training(), data, config, SyntheticCorpus.AUDIO, 1, BatchPosition.START);
      try (Batch first = loader.next()) {
        require(first.size() == BATCH);
      }
    }

    @TearDown(Level.Trial)
    public void delete() throws IOException {
      loader.close();
      data.close();
      try (var files = Files.walk(folder)) {
        for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static void require(boolean holds) {
    if (!holds) {
      throw new IllegalStateException("the answer is wrong");
    }
  }

  /** Three seconds of WAV at the run's rate. */
  @Benchmark
  public DecodedAudio decodePlainWav(Recordings recordings) {
    return AudioReader.read(recordings.plain, SyntheticCorpus.RATE_HZ);
  }

  /** Three seconds of WAV at 48 kHz, resampled. */
  @Benchmark
  public DecodedAudio decodeAndResampleWav(Recordings recordings) {
    return AudioReader.read(recordings.fast, SyntheticCorpus.RATE_HZ);
  }

  /** One sentence, written out in words and read by espeak-ng. */
  @Benchmark
  public EncodedText phonemize(Sentences sentences) {
    return sentences.frontEnd.encode(Sentences.SENTENCE, "pt-br");
  }

  /** One batch of 32 prepared clips. */
  @Benchmark
  public void collate(Prepared prepared, Blackhole hole) {
    try (Batch batch = prepared.assembler.assemble(prepared.batch)) {
      hole.consume(batch.storage());
    }
  }

  /** The wait for the next batch of 32 when the consumer does nothing else. */
  @Benchmark
  public void nextBatch(Prepared prepared, Blackhole hole) {
    try (Batch batch = prepared.loader.next()) {
      hole.consume(batch.storage());
    }
  }

  /** The same when a step takes 50 ms, which the figure includes. */
  @Benchmark
  public void nextBatchBesideAStepOf50Milliseconds(Prepared prepared, Blackhole hole) throws InterruptedException {
    try (Batch batch = prepared.loader.next()) {
      hole.consume(batch.storage());
      Thread.sleep(50);
    }
  }
}
