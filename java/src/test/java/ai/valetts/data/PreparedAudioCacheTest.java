package ai.valetts.data;

import static ai.valetts.data.DataFixtures.config;
import static ai.valetts.data.DataFixtures.prepare;
import static ai.valetts.data.DataFixtures.source;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.config.DataConfig;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cache of decoded recordings: nothing is decoded twice, and nothing damaged or stale is used. */
class PreparedAudioCacheTest {
  @TempDir Path temp;

  private Path folder;
  private Path cache;
  private DataConfig config;
  private final List<String> notices = new ArrayList<>();

  @BeforeEach
  void makeData() throws IOException {
    folder = DataFixtures.folder(temp.resolve("data"), 6);
    cache = temp.resolve("cache");
    config = config(0, 0, source(folder, "ana"));
  }

  private List<float[]> samples() {
    try (PreparedData data = prepare(config, cache, notices::add)) {
      return data.training().stream().map(data::samples).toList();
    }
  }

  private Path cached(String suffix) throws IOException {
    List<Path> found = cachedAll(suffix);
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  private List<Path> cachedAll(String suffix) throws IOException {
    try (Stream<Path> files = Files.walk(cache)) {
      return files.filter(file -> file.toString().endsWith(suffix)).toList();
    }
  }

  private static void assertSame(List<float[]> actual, List<float[]> expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i)).isEqualTo(expected.get(i));
    }
  }

  @Test
  void decodesOnce() throws IOException {
    List<float[]> first = samples();
    Path shard = cached(".pcm");
    FileTime written = Files.getLastModifiedTime(shard);
    assertSame(samples(), first);
    assertThat(Files.getLastModifiedTime(shard)).isEqualTo(written);
    assertThat(cachedAll(".tmp")).isEmpty();
    assertThat(notices).isEmpty();
  }

  @Test
  void decodesAChangedFileAgain() throws IOException {
    List<float[]> first = samples();
    Path changed = folder.resolve("wavs/a2.wav");
    Files.delete(changed);
    DataFixtures.tone(folder, "a2", 0.65);
    List<float[]> second = samples();
    assertThat(second.get(2)).hasSize(first.get(2).length + 800);
    assertThat(second.get(3)).isEqualTo(first.get(3));
    assertThat(cachedAll(".pcm")).hasSize(1);
  }

  @Test
  void knowsAFileOfAnotherTimeByItsContent() throws IOException {
    List<float[]> first = samples();
    long bytes = Files.size(cached(".pcm"));
    Files.setLastModifiedTime(folder.resolve("wavs/a2.wav"), FileTime.fromMillis(1_000_000_000_000L));
    assertSame(samples(), first);
    assertThat(Files.size(cached(".pcm"))).isEqualTo(bytes);
  }

  @Test
  void noticesAnotherContentOfTheSameSizeWhoseTimeWasSetBack() throws IOException {
    Path file = folder.resolve("wavs/a2.wav");
    List<float[]> first = samples();
    FileTime time = Files.getLastModifiedTime(file);
    byte[] other = Files.readAllBytes(file);
    for (int i = other.length / 2; i < other.length - 1; i += 2) {
      other[i] = (byte) (other[i] ^ 0x55);
    }
    Files.write(file, other);
    Files.setLastModifiedTime(file, time);
    assertThat(samples().get(2)).isNotEqualTo(first.get(2));
  }

  @Test
  void addsNewClipsOnly() throws IOException {
    List<float[]> first = samples();
    DataFixtures.tone(folder, "new", 0.7);
    Files.writeString(
        folder.resolve("metadata.csv"), "new|more words\n" + Files.readString(folder.resolve("metadata.csv")));
    List<float[]> second = samples();
    assertThat(second).hasSize(7);
    assertSame(second.subList(1, 7), first);
  }

  @Test
  void triesAMendedFileAgain() throws IOException {
    Path file = folder.resolve("wavs/a1.wav");
    byte[] good = Files.readAllBytes(file);
    Files.writeString(file, "broken for now");
    config = config(0.5, 0, source(folder, "ana"));
    assertThat(samples()).hasSize(5);
    Files.write(file, good);
    assertThat(samples()).hasSize(6);
  }

  @Test
  void reportsARecordingThatIsGoneOrBecameAFolder() throws IOException {
    samples();
    Files.delete(folder.resolve("wavs/a1.wav"));
    Files.delete(folder.resolve("wavs/a2.wav"));
    Files.createDirectory(folder.resolve("wavs/a2.wav"));
    config = config(0.5, 0, source(folder, "ana"));
    try (PreparedData data = prepare(config, cache, notices::add)) {
      assertThat(data.training()).hasSize(4);
      assertThat(data.report().bad()).extracting(DataReport.Row::kind).containsOnly("missing-audio");
      assertThat(data.report().bad()).extracting(DataReport.Row::line).containsExactly(2, 3);
    }
    Files.delete(folder.resolve("wavs/a2.wav"));
    DataFixtures.tone(folder, "a2", 0.6);
    assertThat(samples()).hasSize(5);
  }

  @Test
  void noticesAFlippedBit() throws IOException {
    List<float[]> first = samples();
    try (RandomAccessFile shard = new RandomAccessFile(cached(".pcm").toFile(), "rw")) {
      shard.seek(shard.length() / 2);
      int value = shard.read();
      shard.seek(shard.length() / 2);
      shard.write(value ^ 1);
    }
    assertSame(samples(), first);
    assertThat(notices).first().asString().contains("1 prepared recordings", "damaged");
    notices.clear();
    assertSame(samples(), first);
    assertThat(notices).isEmpty();
  }

  @Test
  void noticesACutShard() throws IOException {
    List<float[]> first = samples();
    Path shard = cached(".pcm");
    try (RandomAccessFile file = new RandomAccessFile(shard.toFile(), "rw")) {
      file.setLength(file.length() / 2);
    }
    assertSame(samples(), first);
    assertThat(notices).first().asString().contains("damaged");
  }

  @Test
  void noticesADamagedLineOfTheIndex() throws IOException {
    List<float[]> first = samples();
    Path index = cached("index.jsonl");
    String whole = Files.readString(index);
    String forged = whole.replaceFirst("\"samples\":8000", "\"samples\":7999");
    assertThat(forged).isNotEqualTo(whole);
    Files.writeString(index, forged);
    assertSame(samples(), first);
    assertThat(notices).anySatisfy(n -> assertThat(n).contains("1 prepared recordings", "damaged"));
  }

  @Test
  void startsOverWithoutAnIndex() throws IOException {
    List<float[]> first = samples();
    long bytes = Files.size(cached(".pcm"));
    Files.writeString(cached("index.jsonl"), "");
    assertSame(samples(), first);
    assertThat(Files.size(cached(".pcm"))).isEqualTo(bytes);
  }

  /** An interrupted preparation leaves whole lines and perhaps part of one. */
  @Test
  void goesOnBehindTheLastWholeLineOfTheIndex() throws IOException {
    List<float[]> first = samples();
    Path index = cached("index.jsonl");
    String whole = Files.readString(index);
    int third = whole.indexOf('\n', whole.indexOf('\n', whole.indexOf('\n') + 1) + 1) + 1;
    Files.writeString(index, whole.substring(0, third + 40));
    assertSame(samples(), first);
    assertThat(notices).singleElement().asString().contains("3 of 6 recordings are prepared already");
    assertThat(Files.readString(index)).startsWith(whole.substring(0, third)).hasLineCount(6);
  }

  @Test
  void noticesAMissingShard() throws IOException {
    List<float[]> first = samples();
    Files.delete(cached(".pcm"));
    assertSame(samples(), first);
  }

  @Test
  void servesAnOpenReaderWhileAnotherRebuilds() throws IOException {
    try (PreparedData open = prepare(config, cache, notices::add)) {
      float[] before = open.samples(open.training().get(0));
      Files.setLastModifiedTime(folder.resolve("wavs/a0.wav"), FileTime.fromMillis(1_000_000_000_000L));
      samples();
      assertThat(open.samples(open.training().get(0))).isEqualTo(before);
    }
  }

  @Test
  void letsPreparationsOfOneFolderWaitForEachOther() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      List<Future<List<float[]>>> answers = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        answers.add(
            pool.submit(
                () -> {
                  try (PreparedData data = prepare(config, cache, notice -> {})) {
                    return data.training().stream().map(data::samples).toList();
                  }
                }));
      }
      List<float[]> expected = answers.get(0).get();
      for (Future<List<float[]>> answer : answers) {
        assertSame(answer.get(), expected);
      }
    } finally {
      pool.shutdownNow();
    }
    assertThat(cachedAll(".pcm")).hasSize(1);
  }

  @Test
  void saysWhenTheCacheCannotBeWritten() throws IOException {
    Files.writeString(cache, "a file where the folder should be");
    assertThatThrownBy(this::samples)
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(cache.toString())
        .hasMessageContaining("Not a directory; move what is there out of the way, or set VALETTS_CACHE");
  }
}
