package ai.valetts.monitor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.event.AudioSample;
import ai.valetts.event.HeatMap;
import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import ai.valetts.monitor.EventFileReader.Message;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardMonitorTest {
  @TempDir private Path root;
  private boolean histograms;

  @Test
  void beginsWithTheFileVersionAndTheConfiguration() throws IOException {
    List<Message> events = written(started(0, false));
    assertThat(events.get(0).text(3)).isEqualTo("brain.Event:2");
    assertThat(events.get(0).real(1)).isGreaterThan(1.7e9);
    Message value = value(tagged(events, "run/config"));
    assertThat(value.message(9).message(1).text(1)).isEqualTo("text");
    assertThat(value.message(8).integer(1)).isEqualTo(7);
    assertThat(value.message(8).text(8)).contains("name: ana");
  }

  @Test
  void writesScalarsAtTheChosenSteps() throws IOException {
    List<Message> events = written(started(0, false), step(9, -3), step(10, 0.125), step(11, 1), step(20, 1e-9));
    List<Message> scalars = events.stream().filter(event -> event.has(5) && value(event).has(2)).toList();
    assertThat(scalars).hasSize(2);
    assertThat(scalars.get(0).integer(2)).isEqualTo(10);
    assertThat(value(scalars.get(0)).text(1)).isEqualTo("loss/g/total");
    assertThat(value(scalars.get(0)).single(2)).isEqualTo(0.125f);
    assertThat(value(scalars.get(1)).single(2)).isCloseTo(1e-9f, within(1e-15f));
  }

  @Test
  void aResumedRunOpensAnotherFileAndTellsWhereItGoesOn() throws IOException {
    written(started(0, false), step(10, 1));
    List<Message> events = written(started(300, true));
    try (Stream<Path> files = Files.list(root)) {
      assertThat(files).hasSize(2);
    }
    Message session = events.get(1);
    assertThat(session.integer(2)).isEqualTo(301);
    assertThat(session.message(7).integer(1)).isEqualTo(1);
  }

  @Test
  void writesAudioAsWavAndMatricesAsPng() throws IOException {
    float[] samples = {0, 0.5f, -1, 1.5f};
    float[] matrix = {0, 1, 2, 3, 4, 5};
    List<Message> events =
        written(
            started(0, false),
            new ValidationCompleted(
                40,
                Map.of("val/mel_l1", 0.5),
                List.of(new AudioSample("gen/audio", samples, 16000, "oi")),
                List.of(new HeatMap("gen/mel", 2, 3, matrix)),
                1));
    Message audio = value(tagged(events, "gen/audio")).message(6);
    assertThat(audio.single(1)).isEqualTo(16000f);
    assertThat(audio.integer(2)).isEqualTo(1);
    assertThat(audio.integer(3)).isEqualTo(4);
    assertThat(audio.text(5)).isEqualTo("audio/wav");
    assertThat(audio.bytes(4)).hasSize(44 + 8).startsWith('R', 'I', 'F', 'F').endsWith(0x01, 0x80, 0xff, 0x7f);
    assertThat(tagged(events, "gen/audio").integer(2)).isEqualTo(40);

    Message image = value(tagged(events, "gen/mel")).message(4);
    var decoded = ImageIO.read(new ByteArrayInputStream(image.bytes(4)));
    assertThat(decoded.getWidth()).isEqualTo((int) image.integer(2));
    assertThat(decoded.getHeight()).isEqualTo((int) image.integer(1)).isGreaterThanOrEqualTo(160);
    // Row 0 lies at the bottom: the least value bottom left, the greatest top right.
    assertThat(decoded.getRGB(0, decoded.getHeight() - 1) & 0xffffff).isEqualTo(0x440154);
    assertThat(decoded.getRGB(decoded.getWidth() - 1, 0) & 0xffffff).isEqualTo(0xfde725);
  }

  @Test
  void drawsEmptyFlatAndNonFiniteMatrices() throws IOException {
    for (HeatMap map :
        List.of(
            new HeatMap("empty", 0, 7, new float[0]),
            new HeatMap("flat", 1, 2, new float[] {3, 3}),
            new HeatMap("nan", 1, 3, new float[] {Float.NaN, Float.POSITIVE_INFINITY, 1}),
            new HeatMap("wide", 1, 5000, new float[5000]))) {
      HeatMapPng png = new HeatMapPng(map);
      var decoded = ImageIO.read(new ByteArrayInputStream(png.bytes()));
      assertThat(decoded.getWidth()).as(map.tag()).isEqualTo(png.width());
      assertThat(decoded.getHeight()).as(map.tag()).isEqualTo(png.height());
    }
  }

  @Test
  void warningsBecomeTextAtTheStepTheyBelongTo() throws IOException {
    List<Message> events = written(started(0, false), step(3, 1), Notice.warning("skipped ção"), Notice.info("fine"));
    Message notice = tagged(events, "run/notices");
    assertThat(notice.integer(2)).isEqualTo(3);
    assertThat(value(notice).message(8).text(8)).isEqualTo("skipped ção");
  }

  @Test
  void histogramsShowTheStepsSinceTheLastPoint() throws IOException {
    histograms = true;
    List<Message> events =
        written(started(0, false), step(8, 1), step(9, Double.NaN), step(10, 3), step(20, 7), step(21, 9));
    List<Message> spread = events.stream().filter(event -> event.has(5) && value(event).has(5)).toList();
    assertThat(spread).hasSize(2);
    Message first = value(spread.get(0)).message(5);
    assertThat(value(spread.get(0)).text(1)).isEqualTo("histogram/loss/g/total");
    assertThat(first.real(1)).isEqualTo(1);
    assertThat(first.real(2)).isEqualTo(3);
    assertThat(first.real(3)).isEqualTo(2);
    assertThat(first.real(4)).isEqualTo(4);
    assertThat(first.real(5)).isEqualTo(10);
    assertThat(first.bytes(6)).hasSize(30 * 8);
    Message second = value(spread.get(1)).message(5);
    assertThat(second.real(3)).isEqualTo(1);
    assertThat(second.bytes(7)).hasSize(8);
  }

  @Test
  void aRunThatBeginsAnewBesideOldFilesPutsThemOutOfDate() throws IOException {
    written(started(0, false), step(10, 1));
    Message session = written(started(0, false)).get(1);
    assertThat(session.integer(2)).isEqualTo(1);
    assertThat(session.message(7).integer(1)).isEqualTo(1);
  }

  private List<Message> written(RunEvent... events) throws IOException {
    List<Path> before = files();
    try (TensorBoardMonitor monitor = new TensorBoardMonitor(root, 10, histograms)) {
      for (RunEvent event : events) {
        monitor.on(event);
      }
    }
    List<Path> after = new ArrayList<>(files());
    after.removeAll(before);
    return EventFileReader.read(after.get(0));
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(root)) {
      return files.toList();
    }
  }

  private static Message value(Message event) {
    return event.message(5).message(1);
  }

  private static Message tagged(List<Message> events, String tag) {
    return events.stream()
        .filter(event -> event.has(5) && value(event).text(1).equals(tag))
        .findFirst()
        .orElseThrow();
  }

  private static RunStarted started(long step, boolean resumed) {
    return new RunStarted("ana", step, resumed, "cpu", "name: ana");
  }

  private static StepCompleted step(long step, double loss) {
    return new StepCompleted(step, 0, Map.of("loss/g/total", loss), new Progress(1, 2, 3, 4, 0.5, 6, "10 steps"));
  }
}
