package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.audio.WavFixtures;
import ai.valetts.config.DataConfig;
import ai.valetts.config.TextConfig;
import ai.valetts.data.corpus.CorpusException;
import ai.valetts.text.TextException;
import ai.valetts.text.TextFrontEnds;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Killed processes, full and read-only disks, huge files, languages that are not there. */
@Timeout(60)
class HostileDiskTest {
  @TempDir Path temp;

  private final List<String> notices = new ArrayList<>();

  private Path cache() {
    return temp.resolve("cache");
  }

  private PreparedData survey(Path folder) {
    return DataFixtures.survey(DataFixtures.config(1, 0, DataFixtures.source(folder, "ana")), cache(), notices::add);
  }

  private Optional<Path> index() throws IOException {
    if (!Files.exists(cache())) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.walk(cache())) {
      return files.filter(file -> file.endsWith("index.jsonl")).findFirst();
    }
  }

  /** Large recordings at another rate, so that a process can be caught at work. */
  private Path slowFolder(int clips) throws IOException {
    Path folder = temp.resolve("slow");
    Path wavs = Files.createDirectories(folder.resolve("wavs"));
    float[] channel = WavFixtures.tone(300, 1.5, 48000, 0.5);
    Path first = WavFixtures.write(wavs.resolve("c0.wav"), WavFixtures.Format.FLOAT32, 48000, channel, channel);
    String[] rows = new String[clips];
    rows[0] = "c0|words";
    for (int i = 1; i < clips; i++) {
      Files.createLink(wavs.resolve("c" + i + ".wav"), first);
      rows[i] = "c" + i + "|words";
    }
    DataFixtures.metadata(folder, rows);
    return folder;
  }

  private Process prepareInAnotherProcess(Path folder, String... options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.add("-cp");
    command.add(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.addAll(List.of(InterruptedPreparation.class.getName(), folder.toString(), cache().toString()));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(temp.resolve("output.log").toFile())
        .start();
  }

  @Test
  void goesOnWhereAKilledProcessWas() throws Exception {
    int clips = 600;
    Path folder = slowFolder(clips);
    Process process = prepareInAnotherProcess(folder);
    try {
      while (process.isAlive() && (index().isEmpty() || Files.readString(index().get()).lines().count() < 50)) {
        Thread.sleep(2);
      }
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    assertThat(temp.resolve("output.log")).content().doesNotContain("done");
    String interrupted = Files.readString(index().orElseThrow());
    String whole = interrupted.substring(0, interrupted.lastIndexOf('\n') + 1);
    long before = whole.lines().count();
    assertThat(before).isBetween(50L, clips - 1L);

    try (PreparedData data = survey(folder)) {
      assertThat(data.report().rows()).isEqualTo(clips);
      assertThat(data.training()).hasSize(clips);
      float[] samples = data.samples(data.training().get(clips - 1));
      assertThat(samples).isEqualTo(data.samples(data.training().get(0)));
    }
    assertThat(notices).anyMatch(text -> text.contains(before + " of 600 recordings are prepared already"));
    assertThat(index().orElseThrow()).content().startsWith(whole).hasLineCount(clips);
  }

  @Test
  void saysInOneSentenceThatTheDiskIsFull() throws Exception {
    Path folder = temp.resolve("large");
    String[] rows = new String[40];
    for (int i = 0; i < rows.length; i++) {
      WavFixtures.writeTone(folder.resolve("wavs/c" + i + ".wav"), 200 + i, 4, 16000);
      rows[i] = "c" + i + "|words";
    }
    DataFixtures.metadata(folder, rows);
    withMount(
        "size=2m",
        () ->
            assertThatThrownBy(() -> survey(folder))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("No space left")
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("VALETTS_CACHE"));
  }

  /** A decoder that could not be unpacked says nothing about the recordings. */
  @Test
  void blamesNoRecordingWhereTheDiskIsTooFullForTheDecoder() throws Exception {
    Path folder = slowFolder(3);
    withMount(
        "size=128k",
        () -> {
          try {
            Process process =
                prepareInAnotherProcess(folder, "-Dorg.bytedeco.javacpp.cachedir=" + cache().resolve("native"));
            assertThat(process.waitFor(50, TimeUnit.SECONDS)).isTrue();
          } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    assertThat(temp.resolve("output.log"))
        .content()
        .contains("cannot be kept in", "FFmpeg's libraries cannot be unpacked", "No space left", "VALETTS_CACHE")
        .doesNotContain("cannot be used", "done");
  }

  @Test
  void saysInOneSentenceThatTheCacheMayNotBeWritten() throws Exception {
    Path folder = DataFixtures.folder(temp.resolve("data"), 3);
    withMount(
        "ro",
        () ->
            assertThatThrownBy(() -> survey(folder))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("Read-only file system; make it writable, or set VALETTS_CACHE")
                .hasMessageNotContaining("free some space"));
  }

  private void withMount(String option, Runnable action) throws Exception {
    Files.createDirectories(cache());
    String[] mount = {"mount", "-t", "tmpfs", "-o", option, "none", cache().toString()};
    assumeTrue(new ProcessBuilder(mount).start().waitFor() == 0, "only root can mount a disk");
    try {
      action.run();
    } finally {
      new ProcessBuilder("umount", cache().toString()).start().waitFor();
    }
  }

  private static void sparse(Path file, byte[] start, long bytes) throws IOException {
    Files.createDirectories(file.getParent());
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.write(start);
      sparse.setLength(bytes);
    }
  }

  private static byte[] wavHeader(int sampleRateHz, int dataBytes) {
    ByteBuffer wav = ByteBuffer.allocate(44).order(ByteOrder.LITTLE_ENDIAN);
    wav.put("RIFF".getBytes()).putInt(dataBytes + 36).put("WAVEfmt ".getBytes()).putInt(16);
    wav.putShort((short) 1).putShort((short) 1).putInt(sampleRateHz).putInt(2 * sampleRateHz);
    wav.putShort((short) 2).putShort((short) 16).put("data".getBytes()).putInt(dataBytes);
    return wav.array();
  }

  @Test
  void passesOverRecordingsOfFourGigabytes() throws IOException {
    Path folder = temp.resolve("huge");
    long bytes = 4L << 30;
    sparse(folder.resolve("wavs/long.wav"), wavHeader(16000, (int) (bytes - 44)), bytes);
    sparse(folder.resolve("wavs/slow.wav"), wavHeader(44100, (int) (bytes - 44)), bytes);
    sparse(folder.resolve("wavs/zero.wav"), new byte[1], bytes);
    DataFixtures.tone(folder, "good", 1);
    DataFixtures.metadata(folder, "good|fine", "long|one", "slow|two", "zero|three");
    try (PreparedData data = survey(folder)) {
      assertThat(data.training()).extracting(Clip::name).containsExactly("good");
      assertThat(data.report().leftOut()).extracting(DataReport.Row::clip).containsExactly("long", "slow");
      assertThat(data.report().leftOut()).allSatisfy(row -> assertThat(row.reason()).contains("s long", "cut it"));
      assertThat(data.report().bad()).extracting(DataReport.Row::kind).containsExactly("damaged-audio");
    }
  }

  @Test
  void refusesATableOfFourGigabytes() throws IOException {
    Path folder = temp.resolve("table");
    sparse(folder.resolve("metadata.csv"), "a|b\n".getBytes(), 4L << 30);
    assertThatThrownBy(() -> survey(folder))
        .isInstanceOf(CorpusException.class)
        .hasMessageContaining("metadata.csv is 4.3 GB large");
  }

  @Test
  void namesTheRowOfOneMissingRecordingAmongThousands() throws IOException {
    Path folder = temp.resolve("many");
    Path wavs = Files.createDirectories(folder.resolve("wavs"));
    Path first = WavFixtures.writeTone(wavs.resolve("c0.wav"), 300, 0.2, 16000);
    String[] rows = new String[23_000];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = "c" + i + "|w";
      if (i > 0 && i != 20_410 && i % 60 == 0) {
        Files.createLink(wavs.resolve("c" + i + ".wav"), first);
      } else if (i > 0 && i != 20_410) {
        rows[i] = "";
      }
    }
    DataFixtures.metadata(folder, rows);
    try (PreparedData data = survey(folder)) {
      assertThat(data.report().bad()).hasSize(1);
      assertThat(data.report().bad().get(0).toString()).contains("metadata.csv:20411: c20410: there is no recording");
    }
  }

  @Test
  void reportsRowsInALanguageThatEspeakLacksAndRefusesOneOfTheConfiguration() throws IOException {
    TextConfig espeak = new TextConfig("espeak", "en-us", false, 100);
    assumeTrue(TextFrontEnds.espeakVersion(problem -> {}).isPresent(), "espeak-ng is not installed");
    Path folder = temp.resolve("data");
    for (int i = 0; i < 3; i++) {
      DataFixtures.tone(folder, "a" + i, 1 + i * 0.1);
    }
    Files.writeString(folder.resolve("list.csv"), "audio_path,text,locale\na0,one,en\na1,two,tlh-xx\na2,three,\n");
    DataConfig.Source source = new DataConfig.Source(folder.toString(), "ana", null, null, "list.csv", null);
    DataConfig config = DataFixtures.config(1, 0, source);
    try (PreparedData data = DataFixtures.survey(config, espeak, null, cache(), notices::add)) {
      assertThat(data.training()).extracting(Clip::language).containsExactly("en-us", "en-us");
      assertThat(data.report().bad()).singleElement().satisfies(row -> {
        assertThat(row.kind()).isEqualTo("unknown-language");
        assertThat(row.line()).isEqualTo(3);
        assertThat(row.reason()).contains("tlh-xx");
      });
    }
    DataConfig klingon =
        DataFixtures.config(1, 0, new DataConfig.Source(folder.toString(), "ana", "tlh-xx", null, "list.csv", null));
    assertThatThrownBy(() -> DataFixtures.survey(klingon, espeak, null, cache(), notices::add))
        .isInstanceOf(TextException.class)
        .hasMessageContaining("tlh-xx");
  }
}
