package ai.valetts.data.corpus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.config.DataConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.archivers.zip.UnixStat;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArchiveTest {
  @TempDir Path temp;

  private Path root;
  private final List<String> notices = new ArrayList<>();

  @BeforeEach
  void name() {
    root = temp.resolve("cache/unpacked");
  }

  private Path unpack(Path archive) {
    return Archive.unpack(archive, root, notices::add);
  }

  private record Entry(String name, byte[] content) {
    static Entry of(String name, String content) {
      return new Entry(name, content.getBytes(StandardCharsets.UTF_8));
    }
  }

  private static final List<Entry> CORPUS =
      List.of(
          Entry.of("LJ/metadata.csv", "a|words\nb|more words\n"),
          Entry.of("LJ/wavs/a.wav", "x".repeat(5000)),
          Entry.of("LJ/wavs/b.wav", "y".repeat(70_000)));

  private Path write(String name, List<Entry> entries) throws IOException {
    Path file = temp.resolve(name);
    if (name.endsWith(".zip")) {
      try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(file)) {
        for (Entry entry : entries) {
          zip.putArchiveEntry(new ZipArchiveEntry(entry.name));
          zip.write(entry.content);
          zip.closeArchiveEntry();
        }
      }
      return file;
    }
    try (OutputStream out = compressing(name, Files.newOutputStream(file));
        TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
      for (Entry entry : entries) {
        TarArchiveEntry header = new TarArchiveEntry(entry.name, true);
        header.setSize(entry.content.length);
        tar.putArchiveEntry(header);
        tar.write(entry.content);
        tar.closeArchiveEntry();
      }
    }
    return file;
  }

  private static OutputStream compressing(String name, OutputStream out) throws IOException {
    if (name.endsWith("gz")) {
      return new GZIPOutputStream(out);
    }
    return name.endsWith("bz2") ? new BZip2CompressorOutputStream(out) : out;
  }

  private List<Path> below(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"c.tar", "c.tar.gz", "c.tgz", "c.tar.bz2", "C.ZIP"})
  void unpacksEveryKindOnce(String name) throws IOException {
    Path archive = write(name.toLowerCase(java.util.Locale.ROOT), CORPUS);
    Path named = Files.move(archive, temp.resolve("named-" + name));
    Path folder = unpack(named);
    assertThat(folder.resolve("LJ/wavs/b.wav")).hasContent("y".repeat(70_000));
    FileTime written = Files.getLastModifiedTime(folder.resolve("LJ/metadata.csv"));
    assertThat(unpack(named)).isEqualTo(folder);
    assertThat(Files.getLastModifiedTime(folder.resolve("LJ/metadata.csv"))).isEqualTo(written);
    assertThat(notices).hasSize(1);
  }

  @Test
  void readsTheCorpusInsideTheOnlyFolder() throws IOException {
    Path archive = write("LJSpeech-1.1.tar.gz", CORPUS);
    DataConfig.Source source = new DataConfig.Source(archive.toString(), null, null);
    Corpus corpus = CorpusReader.read(List.of(source), temp.resolve("cache"), 1, notices::add).get(0);
    assertThat(corpus.rows()).extracting(CorpusRow::text).containsExactly("words", "more words");
    assertThat(corpus.folder()).hasFileName("LJ");
    assertThat(corpus.speaker()).isEqualTo("LJSpeech-1.1");
    assertThat(corpus.rows()).allSatisfy(row -> assertThat(row.audioFile()).exists());
  }

  @ParameterizedTest
  @ValueSource(strings = {"../outside.txt", "a/../../outside.txt", "/outside.txt", "..\\outside.txt", "C:\\outside.txt"})
  void writesNothingOutside(String name) throws IOException {
    for (String archive : List.of("evil.tar", "evil.zip")) {
      Path file = write(archive, List.of(Entry.of("fine.txt", "x"), Entry.of(name, "evil")));
      assertThatThrownBy(() -> unpack(file))
          .isInstanceOf(CorpusException.class)
          .hasMessageContaining("outside.txt")
          .hasMessageContaining("points outside");
    }
    assertThat(below(temp)).noneMatch(file -> file.getFileName().toString().contains("outside"));
  }

  @Test
  void refusesLinks() throws IOException {
    Path tar = temp.resolve("links.tar");
    for (byte kind : new byte[] {TarConstants.LF_SYMLINK, TarConstants.LF_LINK, TarConstants.LF_FIFO}) {
      try (TarArchiveOutputStream out = new TarArchiveOutputStream(Files.newOutputStream(tar))) {
        TarArchiveEntry link = new TarArchiveEntry("wavs", kind);
        link.setLinkName("/etc");
        out.putArchiveEntry(link);
        out.closeArchiveEntry();
      }
      assertThatThrownBy(() -> unpack(tar)).isInstanceOf(CorpusException.class).hasMessageContaining("wavs is a link");
    }
    Path zip = temp.resolve("links.zip");
    try (ZipArchiveOutputStream out = new ZipArchiveOutputStream(zip)) {
      ZipArchiveEntry link = new ZipArchiveEntry("wavs");
      link.setUnixMode(UnixStat.LINK_FLAG | 0777);
      out.putArchiveEntry(link);
      out.write("/etc".getBytes(StandardCharsets.UTF_8));
      out.closeArchiveEntry();
    }
    assertThatThrownBy(() -> unpack(zip)).isInstanceOf(CorpusException.class).hasMessageContaining("wavs is a link");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cut.tar", "cut.tar.gz", "cut.tar.bz2", "cut.zip"})
  void goesOnBehindTheLastWholeFileOnceTheArchiveIsWhole(String name) throws IOException {
    byte[] noise = new byte[300_000];
    new java.util.Random(1).nextBytes(noise);
    List<Entry> entries = new ArrayList<>(CORPUS);
    entries.add(new Entry("LJ/wavs/noise.wav", noise));
    entries.add(Entry.of("LJ/wavs/z.wav", "z"));
    Path archive = write(name, entries);
    FileTime time = Files.getLastModifiedTime(archive);
    byte[] whole = Files.readAllBytes(archive);
    Files.write(archive, Arrays.copyOf(whole, whole.length - 100_000));
    assertThatThrownBy(() -> unpack(archive))
        .isInstanceOf(CorpusException.class)
        .hasMessageContaining(archive.toString())
        .hasMessageContaining("fetch it again");
    assertThat(below(root)).noneMatch(file -> !file.toString().contains(".partial") && file.toString().endsWith(".wav"));
    Files.write(archive, whole);
    Files.setLastModifiedTime(archive, time);
    Path folder = unpack(archive);
    assertThat(folder.resolve("LJ/wavs/noise.wav")).hasBinaryContent(noise);
    assertThat(folder.resolve("LJ/wavs/z.wav")).hasContent("z");
    assertThat(below(folder)).hasSize(5);
  }

  @Test
  void writesNoFileTwiceWhenItGoesOn() throws IOException {
    Path archive = write("c.tar", CORPUS);
    Path folder = unpack(archive);
    Path partial = Files.move(folder, folder.resolveSibling(folder.getFileName() + ".partial"));
    Files.delete(partial.resolve("LJ/wavs/b.wav"));
    FileTime old = FileTime.fromMillis(1_000_000_000_000L);
    Files.setLastModifiedTime(partial.resolve("LJ/wavs/a.wav"), old);
    assertThat(unpack(archive)).isEqualTo(folder);
    assertThat(Files.getLastModifiedTime(folder.resolve("LJ/wavs/a.wav"))).isEqualTo(old);
    assertThat(folder.resolve("LJ/wavs/b.wav")).hasContent("y".repeat(70_000));
  }

  @Test
  void saysWhatAnArchiveIs() throws IOException {
    Path file = Files.writeString(temp.resolve("corpus.rar"), "x");
    assertThatThrownBy(() -> unpack(file)).isInstanceOf(CorpusException.class).hasMessageContaining(".tar.gz");
  }

  @ParameterizedTest
  @ValueSource(strings = {"c.tar", "c.tar.gz", "c.zip"})
  void saysWhenTheDiskIsFull(String name) throws Exception {
    byte[] noise = new byte[3_000_000];
    new java.util.Random(1).nextBytes(noise);
    Path archive = write(name, List.of(new Entry("a.wav", noise)));
    Path disk = Files.createDirectories(root);
    boolean mounted =
        new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=1m", "none", disk.toString()).start().waitFor() == 0;
    assumeTrue(mounted, "only root can mount a small disk");
    try {
      assertThatThrownBy(() -> unpack(archive))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining("No space left")
          .hasMessageContaining("VALETTS_CACHE");
    } finally {
      new ProcessBuilder("umount", disk.toString()).start().waitFor();
    }
  }
}
