package ai.valetts.benchmarks;

import ai.valetts.engine.Spectrogram;
import ai.valetts.engine.jni.NativeEngine;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Spectrograms of five seconds by the native core, border included. Each answer is checked before it is timed. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class SpectrogramBenchmark {
  private static final int FRAMES = 436;

  /** A tone in the middle of this bin of 1,024 points. */
  private static final int TONE_BIN = 40;

  private NativeEngine engine;
  private float[] samples;

  @Setup
  public void open() {
    engine = NativeEngine.open(TrainStepRun.cacheFolder());
    samples = new float[FRAMES * SyntheticCorpus.AUDIO.hopLength()];
    Random random = new Random(1);
    for (int n = 0; n < samples.length; n++) {
      double turn = 2 * Math.PI * TONE_BIN / SyntheticCorpus.AUDIO.fftSize();
      samples[n] = (float) (0.5 * Math.sin(turn * n) + 1e-3 * random.nextGaussian());
    }
    Spectrogram linear = linear();
    int loudest = 0;
    for (int bin = 0; bin < linear.bins(); bin++) {
      if (linear.values()[bin * FRAMES + FRAMES / 2] > linear.values()[loudest * FRAMES + FRAMES / 2]) {
        loudest = bin;
      }
    }
    // A Hann window's sum is half its length, and a tone has half its height at its own frequency.
    double expected = 0.5 * SyntheticCorpus.AUDIO.winLength() / 4.0;
    float found = linear.values()[TONE_BIN * FRAMES + FRAMES / 2];
    if (linear.frames() != FRAMES || loudest != TONE_BIN || Math.abs(found - expected) > 0.01 * expected) {
      throw new IllegalStateException("the tone of bin " + TONE_BIN + " is found in bin " + loudest + " with " + found);
    }
    if (mel().frames() != FRAMES || mel().bins() != SyntheticCorpus.AUDIO.melBins()) {
      throw new IllegalStateException("the mel spectrogram has " + mel().bins() + " x " + mel().frames() + " values");
    }
  }

  @Benchmark
  public Spectrogram mel() {
    return engine.melSpectrogram(SyntheticCorpus.AUDIO, samples);
  }

  @Benchmark
  public Spectrogram linear() {
    return engine.linearSpectrogram(SyntheticCorpus.AUDIO, samples);
  }
}
