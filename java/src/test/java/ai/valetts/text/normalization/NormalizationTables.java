package ai.valetts.text.normalization;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The cases under {@code src/test/resources}: a folder for each language, a file for each kind, text and words in a row. */
public final class NormalizationTables {
  private static final Path RESOURCES =
      Path.of(System.getProperty("valetts.checkout", ".."), "java/src/test/resources/ai/valetts/text/normalization");

  /** One row. */
  public record Case(String language, String kind, int line, String text, String words) {}

  private NormalizationTables() {}

  /** All cases of a language, in the order of the files' names. */
  public static List<Case> of(String language) {
    List<Case> cases = new ArrayList<>();
    try (Stream<Path> files = Files.list(RESOURCES.resolve(language))) {
      for (Path file : files.sorted().toList()) {
        String kind = file.getFileName().toString().replace(".tsv", "");
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
          String[] columns = lines.get(i).split("\t", -1);
          if (columns.length != 2) {
            throw new IllegalStateException(file + ":" + (i + 1) + " is not a text, a tab and words");
          }
          cases.add(new Case(language, kind, i + 1, columns[0], columns[1]));
        }
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return cases;
  }
}
