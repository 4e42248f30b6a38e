package ai.valetts.data.corpus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.config.DataConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LjSpeechTest {
  @TempDir Path folder;

  private static List<CorpusRow> read(Path folder) {
    DataConfig.Source source = new DataConfig.Source(folder.toString(), "ana", null);
    return CorpusReader.read(List.of(source), folder.resolve("cache"), 1, notice -> {}).get(0).rows();
  }

  private List<CorpusRow> read(byte[] content) throws IOException {
    Files.write(folder.resolve("metadata.csv"), content);
    return read(folder);
  }

  @Test
  void takesTheNormalizedColumnWhereThereIsOne() throws IOException {
    List<CorpusRow> rows = read("a|Mr. 1|mister one\nb|plain\nc|plain|\n".getBytes(StandardCharsets.UTF_8));
    assertThat(rows).extracting(CorpusRow::text).containsExactly("mister one", "plain", "plain");
    assertThat(rows).extracting(CorpusRow::name).containsExactly("a", "b", "c");
  }

  @Test
  void countsLinesAcrossBlankOnesAndEveryLineEnd() throws IOException {
    List<CorpusRow> rows = read("\ufeffa|1\r\n\r\nb|2\rc|3\n \nd|4".getBytes(StandardCharsets.UTF_8));
    assertThat(rows).extracting(CorpusRow::line).containsExactly(1, 3, 4, 6);
    assertThat(rows.get(0).name()).isEqualTo("a");
  }

  @Test
  void refusesARowWithMoreColumnsThanTheListHas() throws IOException {
    List<CorpusRow> rows = read("a|one\nb|two|x|y\nc|three\n".getBytes(StandardCharsets.UTF_8));
    assertThat(rows.get(1).findings()).extracting(Finding::kind).containsExactly(Finding.Kind.BROKEN_ROW);
    assertThat(rows.get(1).findings().get(0).detail()).contains("4 columns");
    assertThat(rows.get(2).text()).isEqualTo("three");
  }

  @Test
  void marksRowsWithoutText() throws IOException {
    List<CorpusRow> rows = read("lonely\nx|\n".getBytes(StandardCharsets.UTF_8));
    assertThat(rows.get(0).findings()).extracting(Finding::kind).containsExactly(Finding.Kind.BROKEN_ROW);
    assertThat(rows.get(1).findings()).extracting(Finding::kind).contains(Finding.Kind.EMPTY_TEXT);
  }

  @Test
  void keepsRowsOfAWrongEncoding() throws IOException {
    List<CorpusRow> rows = read("a|n\u00e3o\nb|sim\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThat(rows.get(0).findings()).extracting(Finding::kind).contains(Finding.Kind.WRONG_ENCODING);
    assertThat(rows.get(0).findings()).anySatisfy(finding -> assertThat(finding.detail()).contains("não"));
    assertThat(rows.get(1).text()).isEqualTo("sim");
  }

  @Test
  void findsRecordingsByNameOrPath() throws IOException {
    for (String file : List.of("wavs/a.wav", "wavs/b.g722", "wavs/c.FLAC", "wavs/sub/d.wav", "clips/e.mp3", "f.wav")) {
      Path path = folder.resolve(file);
      Files.createDirectories(path.getParent());
      Files.writeString(path, "x");
    }
    RecordingFinder finder = new RecordingFinder(folder, folder);
    assertThat(finder.find("a")).hasValue(folder.resolve("wavs/a.wav"));
    assertThat(finder.find("a.wav")).hasValue(folder.resolve("wavs/a.wav"));
    assertThat(finder.find("b")).hasValue(folder.resolve("wavs/b.g722"));
    assertThat(finder.find("c")).hasValue(folder.resolve("wavs/c.FLAC"));
    assertThat(finder.find("sub/d")).hasValue(folder.resolve("wavs/sub/d.wav"));
    assertThat(finder.find("wavs/a.wav")).hasValue(folder.resolve("wavs/a.wav"));
    assertThat(finder.find("clips/e.mp3")).hasValue(folder.resolve("clips/e.mp3"));
    assertThat(finder.find("f")).hasValue(folder.resolve("f.wav"));
    for (String name : List.of("", "missing", "wavs", ".", "bad\0name")) {
      assertThat(finder.find(name)).as(name).isEmpty();
    }
  }

  @Test
  void saysWhatADataFolderHolds() {
    assertThatThrownBy(() -> read(folder))
        .isInstanceOf(CorpusException.class)
        .hasMessageContaining(folder.resolve("metadata.csv").toString())
        .hasMessageContaining("wavs/");
    assertThatThrownBy(() -> read(folder.resolve("nowhere")))
        .isInstanceOf(CorpusException.class)
        .hasMessageContaining("nowhere does not exist");
  }
}
