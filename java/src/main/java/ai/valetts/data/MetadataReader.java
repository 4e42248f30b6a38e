package ai.valetts.data;

import ai.valetts.audio.AudioReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Reads {@code metadata.csv} of an LJSpeech-style folder: {@code id|text} or {@code id|text|normalized text}. */
final class MetadataReader {
  static final String FILE_NAME = "metadata.csv";

  private MetadataReader() {}

  /**
   * @param text the normalized text where there is one; null if the row has no second column
   */
  record Row(Path metadataFile, int line, String name, String text) {}

  /**
   * All rows that are not blank.
   *
   * @throws DataException if the folder or the file is missing
   */
  static List<Row> read(Path folder) {
    Path file = folder.resolve(FILE_NAME);
    if (!Files.isDirectory(folder)) {
      throw new DataException("the data folder " + folder + " does not exist");
    }
    if (!Files.isRegularFile(file)) {
      throw new DataException(
          file
              + " does not exist; a data folder holds metadata.csv with lines \"id|text\" and recordings under wavs/");
    }
    String content;
    try {
      // Broken bytes become U+FFFD, which is then reported for its row like any other unknown symbol.
      content = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read: " + e.getMessage(), e);
    }
    if (content.startsWith("\ufeff")) {
      content = content.substring(1);
    }
    List<Row> rows = new ArrayList<>();
    String[] lines = content.split("\r\n|\n|\r", -1);
    for (int i = 0; i < lines.length; i++) {
      if (!lines[i].isBlank()) {
        rows.add(row(file, i + 1, lines[i]));
      }
    }
    return rows;
  }

  private static Row row(Path file, int line, String content) {
    String[] columns = content.split("\\|", -1);
    String name = columns[0].strip();
    if (columns.length < 2) {
      return new Row(file, line, name, null);
    }
    boolean normalized = columns.length > 2 && !columns[2].isBlank();
    return new Row(file, line, name, columns[normalized ? 2 : 1].strip());
  }

  /** The recording a row names: under {@code wavs/} or relative to the folder, with or without its extension. */
  static Optional<Path> recording(Path folder, String name) {
    if (name.isEmpty()) {
      return Optional.empty();
    }
    try {
      for (Path place : List.of(folder.resolve("wavs"), folder)) {
        Path exact = place.resolve(name);
        if (Files.isRegularFile(exact)) {
          return Optional.of(exact);
        }
        for (String extension : AudioReader.EXTENSIONS) {
          for (String spelling : List.of(extension, extension.toUpperCase(Locale.ROOT))) {
            Path candidate = place.resolve(name + "." + spelling);
            if (Files.isRegularFile(candidate)) {
              return Optional.of(candidate);
            }
          }
        }
      }
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
    return Optional.empty();
  }
}
