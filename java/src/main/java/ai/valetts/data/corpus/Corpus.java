package ai.valetts.data.corpus;

import ai.valetts.config.DataConfig;
import java.nio.file.Path;
import java.util.List;

/**
 * One source of the configuration, read.
 *
 * @param source what the configuration says of it
 * @param folder where its files are: the source's folder, or what its archive was unpacked to
 * @param format its format, one of {@link DataConfig.Source#FORMATS} but {@code auto}
 * @param detection how the format shows, e.g. {@code metadata.csv with "id|text"}
 * @param metadataFiles the files that list recordings, relative to the folder
 * @param rows every row, in order
 */
public record Corpus(
    DataConfig.Source source,
    Path folder,
    String format,
    String detection,
    List<String> metadataFiles,
    List<CorpusRow> rows) {
  public Corpus {
    metadataFiles = List.copyOf(metadataFiles);
    rows = List.copyOf(rows);
  }

  /** The speaker of rows that name none. */
  public String speaker() {
    if (source.speaker() != null) {
      return source.speaker();
    }
    Path path = Path.of(source.folder()).toAbsolutePath().normalize();
    return path.getFileName() == null ? "speaker" : Archive.plainName(path);
  }
}
