package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.config.DataConfig;
import ai.valetts.data.CorpusFixtures.Damage;
import ai.valetts.data.CorpusFixtures.Format;
import ai.valetts.data.CorpusFixtures.Utterance;
import ai.valetts.data.corpus.Finding.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every format with every kind of damage: each is reported at its row, and everything else is used. */
class DamagedCorpusTest {
  @TempDir Path temp;

  private final List<String> notices = new ArrayList<>();

  private static Set<Kind> expected(Damage damage, Format format) {
    return switch (damage) {
      case NONE -> Set.of();
      case MISSING -> Set.of(Kind.MISSING_AUDIO);
      case EMPTY -> Set.of(Kind.EMPTY_AUDIO);
      case TRUNCATED -> format == Format.VCTK ? Set.of(Kind.TRUNCATED_AUDIO, Kind.DAMAGED_AUDIO) : Set.of(Kind.TRUNCATED_AUDIO);
      case WRONG_EXTENSION -> Set.of(Kind.WRONG_EXTENSION);
      case STEREO -> Set.of(Kind.MIXED_DOWN);
      case RATE_96_KHZ -> Set.of(Kind.RESAMPLED);
      case DC_OFFSET -> Set.of(Kind.DC_OFFSET);
      case CLIPPED -> Set.of(Kind.CLIPPING);
      case SILENCE -> Set.of(Kind.SILENT_AUDIO);
      case SECONDS_60 -> Set.of(Kind.TOO_LONG);
      case SECONDS_0_05 -> Set.of(Kind.TOO_SHORT);
      case WRONG_ENCODING -> Set.of(Kind.WRONG_ENCODING);
      case BYTE_ORDER_MARK -> Set.of(Kind.BYTE_ORDER_MARK);
      case WINDOWS_LINE_END -> Set.of(Kind.WINDOWS_LINE_ENDS);
      case QUOTES -> Set.of(format.quotes() || format == Format.TABLE_JSONL ? Kind.BROKEN_ROW : Kind.QUOTATION_MARKS);
      case TAB -> Set.of(format.isTabbed() ? Kind.BROKEN_ROW : Kind.TAB_IN_TEXT);
      case DUPLICATE_ID -> Set.of(Kind.DUPLICATE_ID);
      case UNKNOWN_SPEAKER -> Set.of(Kind.UNKNOWN_SPEAKER);
      case EMPTY_TEXT -> Set.of(Kind.EMPTY_TEXT);
      case EMOJI -> Set.of(Kind.UNKNOWN_SYMBOL);
    };
  }

  @ParameterizedTest
  @EnumSource
  void reportsEveryDamageAtItsRowAndGoesOn(Format format) throws IOException {
    Path folder = temp.resolve("corpus");
    List<Utterance> utterances = CorpusFixtures.damaged(format);
    List<String> places = CorpusFixtures.write(format, folder, utterances);
    DataConfig config = DataFixtures.config(1, 2, format.source(folder, format.isTable() ? "table" : null));
    try (PreparedData data = DataFixtures.survey(config, temp.resolve("cache"), notices::add)) {
      DataReport report = data.report();
      assertThat(report.sources()).extracting(DataReport.Source::format).containsExactly(format.configured);
      assertThat(report.rows()).isEqualTo(utterances.size());
      List<DataReport.Row> all =
          Stream.of(report.bad(), report.leftOut(), report.remarks()).flatMap(List::stream).toList();
      for (int i = 0; i < utterances.size(); i++) {
        Utterance utterance = utterances.get(i);
        String place = folder.resolve(places.get(i).substring(0, places.get(i).lastIndexOf(':'))).toString();
        int line = Integer.parseInt(places.get(i).substring(places.get(i).lastIndexOf(':') + 1));
        List<String> found =
            all.stream()
                .filter(row -> row.metadataFile().equals(place) && row.line() == line)
                .map(DataReport.Row::kind)
                .toList();
        Set<String> wanted =
            expected(utterance.damage(), format).stream().map(Kind::slug).collect(Collectors.toSet());
        assertThat(found).as(utterance + " at " + places.get(i) + " in " + all).allMatch(wanted::contains);
        assertThat(found).as(utterance + " at " + places.get(i)).hasSize(wanted.isEmpty() ? 0 : 1);
      }
      Set<String> used =
          Stream.concat(data.training().stream(), data.validation().stream())
              .map(Clip::text)
              .collect(Collectors.toSet());
      Set<String> sound =
          utterances.stream()
              .filter(
                  utterance ->
                      expected(utterance.damage(), format).stream()
                          .allMatch(kind -> kind.weight() == ai.valetts.data.corpus.Finding.Weight.REMARK))
              .map(Utterance::text)
              .collect(Collectors.toSet());
      assertThat(used).isEqualTo(sound);
      assertThat(data.speakers().names())
          .isEqualTo(format.hasSpeakers ? List.of("spk0", "spk1", "spk2") : List.of("corpus"));
      assertThat(data.refusal()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  void readsAStatedFormatAsItReadsADetectedOne(Format format) throws IOException {
    Path folder = temp.resolve("corpus");
    List<Utterance> utterances =
        CorpusFixtures.damaged(format).stream().filter(utterance -> utterance.damage() == Damage.NONE).toList();
    CorpusFixtures.write(format, folder, utterances);
    if (format == Format.COQUI || format == Format.VALETTS) {
      Files.move(folder.resolve("corpus.csv"), folder.resolve("metadata.csv"));
    }
    DataConfig config = DataFixtures.config(0, 0, format.source(folder, format.configured));
    try (PreparedData data = DataFixtures.prepare(config, temp.resolve("cache"), notices::add)) {
      assertThat(data.training()).extracting(Clip::text).containsExactlyInAnyOrderElementsOf(
          utterances.stream().map(Utterance::text).toList());
      assertThat(data.training()).allSatisfy(clip -> assertThat(clip.speakerId()).isBetween(0, 2));
    }
  }
}
