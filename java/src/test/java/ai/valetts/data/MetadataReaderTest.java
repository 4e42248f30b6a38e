package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetadataReaderTest {
  @TempDir Path folder;

  private List<MetadataReader.Row> read(byte[] content) throws IOException {
    Files.write(folder.resolve("metadata.csv"), content);
    return MetadataReader.read(folder);
  }

  @Test
  void takesTheNormalizedColumnWhereThereIsOne() throws IOException {
    List<MetadataReader.Row> rows = read("a|Mr. 1|mister one\nb|plain\nc|plain|\n".getBytes(StandardCharsets.UTF_8));
    assertThat(rows).extracting(MetadataReader.Row::text).containsExactly("mister one", "plain", "plain");
    assertThat(rows).extracting(MetadataReader.Row::name).containsExactly("a", "b", "c");
  }

  @Test
  void countsLinesAcrossBlankOnesAndEveryLineEnd() throws IOException {
    List<MetadataReader.Row> rows = read("\ufeffa|1\r\n\r\nb|2\rc|3\n \nd|4".getBytes(StandardCharsets.UTF_8));
    assertThat(rows).extracting(MetadataReader.Row::line).containsExactly(1, 3, 4, 6);
    assertThat(rows.get(0).name()).isEqualTo("a");
  }

  @Test
  void marksRowsWithoutText() throws IOException {
    List<MetadataReader.Row> rows = read("lonely\nx|\n".getBytes(StandardCharsets.UTF_8));
    assertThat(rows.get(0).text()).isNull();
    assertThat(rows.get(1).text()).isEmpty();
  }

  @Test
  void keepsRowsOfAWrongEncoding() throws IOException {
    List<MetadataReader.Row> rows = read("a|n\u00e3o\nb|sim\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThat(rows.get(0).text()).contains("\ufffd");
    assertThat(rows.get(1).text()).isEqualTo("sim");
  }

  @Test
  void findsRecordingsByNameOrPath() throws IOException {
    for (String file : List.of("wavs/a.wav", "wavs/b.g722", "wavs/c.FLAC", "wavs/sub/d.wav", "clips/e.mp3", "f.wav")) {
      Path path = folder.resolve(file);
      Files.createDirectories(path.getParent());
      Files.writeString(path, "x");
    }
    assertThat(MetadataReader.recording(folder, "a")).hasValue(folder.resolve("wavs/a.wav"));
    assertThat(MetadataReader.recording(folder, "a.wav")).hasValue(folder.resolve("wavs/a.wav"));
    assertThat(MetadataReader.recording(folder, "b")).hasValue(folder.resolve("wavs/b.g722"));
    assertThat(MetadataReader.recording(folder, "c")).hasValue(folder.resolve("wavs/c.FLAC"));
    assertThat(MetadataReader.recording(folder, "sub/d")).hasValue(folder.resolve("wavs/sub/d.wav"));
    assertThat(MetadataReader.recording(folder, "wavs/a.wav")).hasValue(folder.resolve("wavs/a.wav"));
    assertThat(MetadataReader.recording(folder, "clips/e.mp3")).hasValue(folder.resolve("clips/e.mp3"));
    assertThat(MetadataReader.recording(folder, "f")).hasValue(folder.resolve("f.wav"));
    for (String name : List.of("", "missing", "wavs", ".", "bad\0name")) {
      assertThat(MetadataReader.recording(folder, name)).as(name).isEmpty();
    }
  }

  @Test
  void saysWhatADataFolderHolds() {
    assertThatThrownBy(() -> MetadataReader.read(folder))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(folder.resolve("metadata.csv").toString())
        .hasMessageContaining("wavs/");
    assertThatThrownBy(() -> MetadataReader.read(folder.resolve("nowhere")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("nowhere does not exist");
  }
}
