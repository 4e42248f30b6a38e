package ai.valetts.data;

import static ai.valetts.data.DataFixtures.config;
import static ai.valetts.data.DataFixtures.prepare;
import static ai.valetts.data.DataFixtures.source;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.audio.WavFixtures;
import ai.valetts.config.DataConfig;
import ai.valetts.text.SymbolTable;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetPreparationTest {
  @TempDir Path temp;

  private final List<String> notices = new ArrayList<>();

  private Path cache() {
    return temp.resolve("cache");
  }

  private PreparedData prepareAll(DataConfig config) {
    return prepare(config, cache(), notices::add);
  }

  @Test
  void decodesEveryClip() throws IOException {
    Path folder = DataFixtures.folder(temp.resolve("data"), 10);
    try (PreparedData data = prepareAll(config(0, 2, source(folder, "ana")))) {
      assertThat(data.training()).hasSize(8);
      assertThat(data.validation()).hasSize(2);
      assertThat(data.report().rows()).isEqualTo(10);
      assertThat(data.report().bad()).isEmpty();
      assertThat(data.report().hours()).isCloseTo(10 * 0.725 / 3600, within(1e-6));
      for (Clip clip : data.training()) {
        assertThat(data.samples(clip)).hasSize(clip.samples());
        assertThat(clip.tokenIds()).startsWith(1).endsWith(2);
        assertThat(clip.language()).isEqualTo("en-us");
      }
      float[] expected = WavFixtures.tone(200 + "a3".hashCode() % 97, 0.65, 16000, 0.5);
      Clip clip = find(data, "a3");
      assertThat(data.samples(clip)).hasSameSizeAs(expected);
      for (int i = 0; i < expected.length; i++) {
        assertThat(data.samples(clip)[i]).isCloseTo(expected[i], within(1e-4f));
      }
    }
    assertThat(notices).isEmpty();
  }

  private static Clip find(PreparedData data, String name) {
    return Stream.concat(data.training().stream(), data.validation().stream())
        .filter(clip -> clip.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /** Every kind of bad row at once, each named with its line and reason. */
  @Test
  void listsEachBadRowWithItsReason() throws IOException {
    Path folder = temp.resolve("data");
    DataFixtures.tone(folder, "good", 1);
    DataFixtures.tone(folder, "mute", 1);
    DataFixtures.tone(folder, "dots", 1);
    DataFixtures.tone(folder, "brief", 0.2);
    DataFixtures.tone(folder, "odd", 1);
    DataFixtures.tone(folder, "tiny", 0.05);
    DataFixtures.tone(folder, "huge", 5.5);
    DataFixtures.tone(folder, "bucket", 3);
    DataFixtures.tone(folder, "wordy", 4);
    Files.writeString(folder.resolve("wavs/corrupt.wav"), "this is no recording");
    Files.createFile(folder.resolve("wavs/empty.wav"));
    DataFixtures.metadata(
        folder,
        "good|fine",
        "absent|no file",
        "corrupt|broken file",
        "empty|empty file",
        "mute|",
        "dots|...",
        "no separator",
        "brief|a text far too long for it",
        "odd|with ☃",
        "tiny|a",
        "huge|a",
        "bucket|a",
        "wordy|" + "word ".repeat(40));
    try (PreparedData data = prepareAll(config(0.9, 0, source(folder, "ana")))) {
      assertThat(data.training()).extracting(Clip::name).containsExactly("good");
      Map<Integer, String> bad =
          data.report().bad().stream().collect(Collectors.toMap(DataReport.Row::line, DataReport.Row::reason));
      assertThat(bad).containsOnlyKeys(2, 3, 4, 5, 6, 7, 8, 9);
      assertThat(bad.get(2)).contains("no recording");
      assertThat(bad.get(3)).contains("corrupt.wav", "no recording that can be decoded");
      assertThat(bad.get(4)).contains("empty.wav is empty");
      assertThat(bad.get(5)).contains("text is empty");
      assertThat(bad.get(6)).contains("nothing that can be spoken");
      assertThat(bad.get(7)).contains("no \"|\"");
      assertThat(bad.get(8)).contains("longer than its recording (12 frames)");
      assertThat(bad.get(9)).contains("unknown symbol \"☃\" (U+2603)");
      Map<Integer, String> leftOut =
          data.report().leftOut().stream().collect(Collectors.toMap(DataReport.Row::line, DataReport.Row::reason));
      assertThat(leftOut).containsOnlyKeys(10, 11, 12, 13);
      assertThat(leftOut.get(10)).contains("data.minSeconds");
      assertThat(leftOut.get(11)).contains("data.maxSeconds");
      assertThat(leftOut.get(12)).contains("data.bucketFrames");
      assertThat(leftOut.get(13)).contains("text.maxSymbols");
    }
    assertThat(notices).anySatisfy(n -> assertThat(n).contains("8 of 13 rows", "metadata.csv:2: absent"));
    assertThat(notices).anySatisfy(n -> assertThat(n).contains("4 of 13 rows", "left out for their length"));
  }

  @Test
  void goesOnUntilMoreThanMaxBadAreBad() throws IOException {
    Path folder = DataFixtures.folder(temp.resolve("data"), 9);
    Files.writeString(
        folder.resolve("metadata.csv"), Files.readString(folder.resolve("metadata.csv")) + "gone|nothing there\n");
    try (PreparedData data = prepareAll(config(0.1, 0, source(folder, "ana")))) {
      assertThat(data.training()).hasSize(9);
    }
    assertThatThrownBy(() -> prepareAll(config(0.09, 0, source(folder, "ana"))))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("1 of 10 rows")
        .hasMessageContaining("data.maxBad = 0.09")
        .hasMessageContaining("metadata.csv:10: gone");
  }

  /** A length limit is a wish of the configuration, not a fault of the data. */
  @Test
  void doesNotCountLengthLimitsAsBad() throws IOException {
    Path folder = temp.resolve("data");
    DataFixtures.tone(folder, "good", 1);
    DataFixtures.tone(folder, "huge", 6);
    DataFixtures.metadata(folder, "good|a", "huge|b");
    try (PreparedData data = prepareAll(config(0, 0, source(folder, "ana")))) {
      assertThat(data.training()).hasSize(1);
    }
  }

  @Test
  void refusesDataWithoutAUsableClip() throws IOException {
    Path folder = temp.resolve("data");
    DataFixtures.metadata(folder, "a|x", "b|y");
    assertThatThrownBy(() -> prepareAll(config(1, 0, source(folder, "ana"))))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("no usable clip among the 2 rows of " + folder)
        .hasMessageContaining("metadata.csv:1");
    DataFixtures.metadata(folder);
    assertThatThrownBy(() -> prepareAll(config(1, 0, source(folder, "ana"))))
        .hasMessageContaining("no usable clip among the 0 rows");
  }

  @Test
  void refusesASpeakerWithoutAUsableClip() throws IOException {
    Path good = DataFixtures.folder(temp.resolve("good"), 5);
    Path bad = temp.resolve("bad");
    DataFixtures.metadata(bad, "a|x");
    assertThatThrownBy(() -> prepareAll(config(1, 0, source(good, "ana"), source(bad, "bia"))))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("speaker bia");
  }

  @Test
  void saysWhatIsConverted() throws IOException {
    Path folder = temp.resolve("data");
    for (int i = 0; i < 3; i++) {
      float[] channel = WavFixtures.tone(300 + i, 1, 48000, 0.5);
      WavFixtures.write(folder.resolve("wavs/s" + i + ".wav"), WavFixtures.Format.PCM16, 48000, channel, channel);
    }
    WavFixtures.writeTone(folder.resolve("wavs/low.wav"), 300, 1, 8000);
    DataFixtures.tone(folder, "right", 1);
    DataFixtures.metadata(folder, "s0|a", "s1|b", "s2|c", "low|d", "right|e");
    try (PreparedData data = prepareAll(config(0, 0, source(folder, "ana")))) {
      assertThat(data.report().conversions())
          .containsExactly(
              "3 clips converted from 48000 Hz stereo to 16000 Hz mono",
              "1 clip converted from 8000 Hz mono to 16000 Hz mono");
      assertThat(data.training()).allSatisfy(clip -> assertThat(clip.samples()).isCloseTo(16000, within(3)));
    }
    assertThat(notices).containsExactlyElementsOf(
        List.of(
            "3 clips converted from 48000 Hz stereo to 16000 Hz mono",
            "1 clip converted from 8000 Hz mono to 16000 Hz mono"));
  }

  @Test
  void numbersSpeakersByName() throws IOException {
    Path one = DataFixtures.folder(temp.resolve("one"), 4);
    Path two = DataFixtures.folder(temp.resolve("two"), 4);
    try (PreparedData data = prepareAll(config(0, 0, source(one, "zoe"), source(two, "ana")))) {
      assertThat(data.speakers().names()).containsExactly("ana", "zoe");
      assertThat(find(data, "a0").speaker()).isEqualTo("zoe");
      assertThat(find(data, "a0").speakerId()).isEqualTo(1);
    }
  }

  @Test
  void holdsOutSomeOfEachSpeakerAndNeverAll() throws IOException {
    Path many = DataFixtures.folder(temp.resolve("many"), 20);
    Path few = DataFixtures.folder(temp.resolve("few"), 2);
    Path one = DataFixtures.folder(temp.resolve("one"), 1);
    DataConfig config = config(0, 6, source(many, "ana"), source(few, "bia"), source(one, "cid"));
    List<String> first;
    try (PreparedData data = prepareAll(config)) {
      Map<String, Long> heldOut =
          data.validation().stream().collect(Collectors.groupingBy(Clip::speaker, TreeMap::new, Collectors.counting()));
      assertThat(heldOut).isEqualTo(Map.of("ana", 5L, "bia", 1L));
      assertThat(data.training()).extracting(Clip::speaker).contains("ana", "bia", "cid");
      assertThat(data.training()).doesNotContainAnyElementsOf(data.validation());
      first = data.validation().stream().map(clip -> clip.speaker() + clip.name()).toList();
    }
    try (PreparedData data = prepareAll(config)) {
      assertThat(data.validation().stream().map(clip -> clip.speaker() + clip.name()).toList()).isEqualTo(first);
    }
    try (PreparedData data = prepareAll(config(0, 1000, source(many, "ana"), source(few, "bia")))) {
      assertThat(data.training()).hasSize(2);
    }
  }

  @Test
  void keepsTheHeldOutClipsWhenRowsMove() throws IOException {
    Path folder = DataFixtures.folder(temp.resolve("data"), 20);
    DataConfig config = config(0, 5, source(folder, "ana"));
    Map<String, Long> before;
    try (PreparedData data = prepareAll(config)) {
      before = data.validation().stream().collect(Collectors.toMap(Clip::name, Clip::id));
    }
    List<String> rows = new ArrayList<>(Files.readAllLines(folder.resolve("metadata.csv")));
    Collections.reverse(rows);
    DataFixtures.metadata(folder, rows.toArray(new String[0]));
    try (PreparedData data = prepareAll(config)) {
      assertThat(data.validation().stream().collect(Collectors.toMap(Clip::name, Clip::id))).isEqualTo(before);
    }
  }

  @Test
  void holdsOutNoClipThatWasTrainedOnWhenOthersCome() throws IOException {
    Path folder = DataFixtures.folder(temp.resolve("data"), 40);
    DataConfig config = config(0, 8, source(folder, "ana"));
    Set<String> trained;
    Set<String> heldOut;
    try (PreparedData data = prepareAll(config)) {
      trained = data.training().stream().map(Clip::name).collect(Collectors.toSet());
      heldOut = data.validation().stream().map(Clip::name).collect(Collectors.toSet());
    }
    String rows = Files.readString(folder.resolve("metadata.csv"));
    for (int i = 0; i < 40; i++) {
      DataFixtures.tone(folder, "later" + i, 1 + 0.01 * i);
      rows += "later" + i + "|others that come later\n";
    }
    Files.writeString(folder.resolve("metadata.csv"), rows);
    try (PreparedData data = prepareAll(config)) {
      Set<String> now = data.validation().stream().map(Clip::name).collect(Collectors.toSet());
      assertThat(now).hasSize(8).doesNotContainAnyElementsOf(trained);
      assertThat(now).containsAnyElementsOf(heldOut);
    }
  }

  @Test
  void countsTheFirstOfRowsOfOneName() throws IOException {
    Path folder = temp.resolve("data");
    DataFixtures.tone(folder, "a", 1);
    DataFixtures.metadata(folder, "a|one", "a|two", "a.wav|two");
    try (PreparedData data = prepareAll(config(1, 0, source(folder, "ana")))) {
      assertThat(data.training()).extracting(Clip::text).containsExactly("one");
      assertThat(data.report().bad()).extracting(DataReport.Row::kind).containsOnly("duplicate-id");
      assertThat(data.report().bad()).extracting(DataReport.Row::line).containsExactly(2, 3);
      assertThat(data.report().bad()).allSatisfy(row -> assertThat(row.reason()).contains("metadata.csv:1 already"));
    }
  }

  @Test
  void refusesSymbolsAVoiceWasNotTrainedWith() throws IOException {
    Path folder = DataFixtures.folder(temp.resolve("data"), 3);
    SymbolTable saved = SymbolTable.characters(List.of("some words"));
    DataConfig config = config(1, 0, source(folder, "ana"));
    try (PreparedData data = DataFixtures.survey(config, DataFixtures.TEXT, saved, cache(), notices::add)) {
      assertThat(data.training()).hasSize(1);
      assertThat(data.report().bad()).hasSize(2).allSatisfy(row -> assertThat(row.reason()).contains("\"x\""));
      assertThat(data.symbols()).isEqualTo(saved);
    }
  }

  @Test
  void writesItsReport() throws IOException {
    Path folder = DataFixtures.folder(temp.resolve("data"), 3);
    try (PreparedData data = prepareAll(config(0, 1, source(folder, "ana")))) {
      Path file = temp.resolve("report.json");
      Files.writeString(file, data.report().toJson());
      JsonNode json = new ObjectMapper().readTree(file.toFile());
      assertThat(json.get("rows").asInt()).isEqualTo(3);
      assertThat(json.get("training").asInt()).isEqualTo(2);
      assertThat(json.get("speakers").get(0).get("name").asText()).isEqualTo("ana");
      assertThat(json.get("textFrontEnd").asText()).startsWith("characters");
    }
  }
}
