package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.config.DataConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BalanceTest {
  private static void add(List<Clip> clips, String language, String speaker, int count) {
    for (int i = 0; i < count; i++) {
      int number = clips.size();
      Path nowhere = Path.of("c" + number);
      clips.add(
          new Clip(number, "c" + number, nowhere, nowhere, 1, "x", language, speaker, 0, new int[] {1, 2}, 256 * 40));
    }
  }

  /** ana 900, bia 60 and cid 1 in Portuguese, dan 39 in English. */
  private static List<Clip> clips() {
    List<Clip> clips = new ArrayList<>();
    add(clips, "pt-br", "ana", 900);
    add(clips, "pt-br", "bia", 60);
    add(clips, "pt-br", "cid", 1);
    add(clips, "en-us", "dan", 39);
    return clips;
  }

  private static Map<String, Long> count(List<Clip> clips, Function<Clip, String> by) {
    return clips.stream().collect(Collectors.groupingBy(by, Collectors.counting()));
  }

  private static List<Clip> epoch(double speakers, double languages, int epoch) {
    return new BalancedEpoch(clips(), new DataConfig.Balance(speakers, languages), 5).clips(epoch);
  }

  @Test
  void leavesSharesAsRecordedAtZero() {
    for (int e : List.of(0, 1, 7)) {
      assertThat(epoch(0, 0, e).stream().map(Clip::id).sorted().toList())
          .isEqualTo(clips().stream().map(Clip::id).toList());
    }
  }

  @Test
  void hearsAllSpeakersAlikeAtOne() {
    assertThat(count(epoch(1, 0, 3), Clip::speaker)).isEqualTo(Map.of("ana", 250L, "bia", 250L, "cid", 250L, "dan", 250L));
  }

  @Test
  void hearsAllLanguagesAlikeAtOne() {
    assertThat(count(epoch(0, 1, 3), Clip::language)).isEqualTo(Map.of("pt-br", 500L, "en-us", 500L));
    assertThat(count(epoch(1, 1, 3), Clip::speaker)).containsEntry("dan", 500L);
    assertThat(count(epoch(1, 1, 3), Clip::speaker).get("cid")).isBetween(166L, 167L);
  }

  @ParameterizedTest
  @CsvSource({"0.5, 0", "1, 0", "0, 1", "0.3, 0.7", "1, 1"})
  void keepsTheLengthOfAnEpochAndForgetsNoClip(double speakers, double languages) {
    List<Clip> clips = clips();
    HashSet<Long> heard = new HashSet<>();
    for (int e = 0; e < 30; e++) {
      List<Clip> chosen = epoch(speakers, languages, e);
      assertThat(chosen).hasSize(clips.size());
      chosen.forEach(clip -> heard.add(clip.id()));
    }
    assertThat(heard).hasSize(clips.size());
  }

  @Test
  void comesBackToAClipOnlyAfterAllOthersOfItsSpeaker() {
    List<Clip> heard = new ArrayList<>();
    for (int e = 0; e < 9; e++) {
      epoch(1, 0, e).stream().filter(clip -> clip.speaker().equals("ana")).forEach(heard::add);
    }
    assertThat(heard.subList(0, 900)).doesNotHaveDuplicates();
    assertThat(heard.subList(900, 1800)).doesNotHaveDuplicates();
  }

  @Test
  void saysHowOftenClipsComeInAnEpoch() {
    BalancedEpoch balanced = new BalancedEpoch(clips(), new DataConfig.Balance(1, 0), 5);
    assertThat(balanced.range()[0]).isCloseTo(250.0 / 900, within(1e-9));
    assertThat(balanced.range()[1]).isEqualTo(250);
  }
}
