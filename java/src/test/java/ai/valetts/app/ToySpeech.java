package ai.valetts.app;

import ai.valetts.audio.WavWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Recordings made from their text: every letter is a tenth of a second of a buzz in a band of its own, so that text and
 * sound belong together and both can be learnt quickly. Always the same for the same arguments.
 */
final class ToySpeech {
  static final int SAMPLE_RATE_HZ = 16000;
  private static final double LETTER_SECONDS = 0.1;
  private static final double PITCH_HZ = 125;
  private static final String LETTERS = "abdego";
  private static final double[] CENTRES_HZ = {300, 700, 1400, 2500, 4000, 6000};

  private ToySpeech() {}

  /** Writes {@code metadata.csv} and {@code wavs/} with the given number of clips of 8 to 14 letters. */
  static Path folder(Path folder, int clips, long seed) {
    Random random = new Random(seed);
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < clips; i++) {
      StringBuilder text = new StringBuilder();
      int letters = 8 + random.nextInt(7);
      for (int j = 0; j < letters; j++) {
        text.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
      }
      String name = "clip%03d".formatted(i);
      wav(folder.resolve("wavs/" + name + ".wav"), speak(text.toString(), seed), SAMPLE_RATE_HZ);
      rows.add(name + "|" + text);
    }
    metadata(folder, rows);
    return folder;
  }

  static void metadata(Path folder, List<String> rows) {
    try {
      Files.write(folder.resolve("metadata.csv"), rows);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void wav(Path file, float[] samples, int sampleRateHz) {
    try {
      Files.createDirectories(file.getParent());
      WavWriter.write(file, samples, sampleRateHz);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static float[] speak(String text, long seed) {
    int perLetter = (int) (LETTER_SECONDS * SAMPLE_RATE_HZ);
    float[] samples = new float[text.length() * perLetter];
    Random random = new Random(seed + text.hashCode());
    for (int i = 0; i < samples.length; i++) {
      int letter = Math.floorMod(LETTERS.indexOf(text.charAt(i / perLetter)), CENTRES_HZ.length);
      double within = (double) (i % perLetter) / perLetter;
      double sum = 0;
      for (int harmonic = 1; harmonic * PITCH_HZ < 7800; harmonic++) {
        double hz = harmonic * PITCH_HZ;
        sum += resonance(hz, CENTRES_HZ[letter], 60 + CENTRES_HZ[letter] / 12)
            * Math.sin(2 * Math.PI * hz * i / SAMPLE_RATE_HZ);
      }
      samples[i] = (float) (0.2 * sum * Math.sin(Math.PI * within) + 0.003 * random.nextGaussian());
    }
    return samples;
  }

  /** A bell in frequency, so that the bands of other letters stay near silence. */
  private static double resonance(double hz, double centreHz, double widthHz) {
    double distance = (hz - centreHz) / widthHz;
    return Math.exp(-0.5 * distance * distance);
  }
}
