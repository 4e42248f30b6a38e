import ai.valetts.audio.AudioReader;
import ai.valetts.audio.WavWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies a few sentences of the demo recordings, decoded to the demo's sample rate, to an LJSpeech-style folder with their
 * credits: {@code java -cp valetts.jar ChooseClips.java DEMO_FOLDER TARGET SECONDS}. The first that fit are taken, so the
 * choice is the same each time.
 */
final class ChooseClips {
  private static final int SAMPLE_RATE_HZ = 16000;
  private static final double SHORTEST_SECONDS = 0.9;
  private static final double LONGEST_SECONDS = 2.4;
  private static final int FEWEST_WORDS = 3;

  private ChooseClips() {}

  public static void main(String[] arguments) throws IOException {
    Path source = Path.of(arguments[0]);
    Path target = Path.of(arguments[1]);
    double wanted = Double.parseDouble(arguments[2]);
    List<String> chosen = new ArrayList<>();
    double total = 0;
    for (String row : Files.readAllLines(source.resolve("metadata.csv"))) {
      String[] fields = row.split("\\|");
      if (fields[1].split("\\s+").length < FEWEST_WORDS) {
        continue;
      }
      float[] samples =
          AudioReader.read(source.resolve("wavs").resolve(fields[0] + ".g722"), SAMPLE_RATE_HZ).samples();
      double seconds = (double) samples.length / SAMPLE_RATE_HZ;
      if (seconds >= SHORTEST_SECONDS && seconds <= LONGEST_SECONDS && total + seconds <= wanted) {
        WavWriter.write(target.resolve("wavs").resolve(fields[0] + ".wav"), samples, SAMPLE_RATE_HZ);
        chosen.add(row);
        total += seconds;
      }
      if (total > wanted - SHORTEST_SECONDS) {
        break;
      }
    }
    Files.write(target.resolve("metadata.csv"), chosen);
    Files.copy(source.resolve("CREDITS"), target.resolve("CREDITS"), StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(
        target.resolve("CREDITS"),
        "\nChanges in this copy: " + chosen.size() + " of the recordings, decoded to 16-bit WAV.\n",
        StandardOpenOption.APPEND);
    System.out.printf("%d clips, %.1f s%n", chosen.size(), total);
  }
}
