package ai.valetts.app;

import ai.valetts.config.ValettsConfig;
import ai.valetts.data.Clip;
import ai.valetts.data.DataReport;
import ai.valetts.data.DatasetPreparation;
import ai.valetts.data.PreparationProgress;
import ai.valetts.data.PreparedData;
import ai.valetts.data.corpus.Corpus;
import ai.valetts.data.corpus.CorpusReader;
import ai.valetts.data.corpus.Finding;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Reads, checks and caches recordings, and tells what was found. */
final class Preparation {
  /** Enough for a screen or two; the report has all. */
  private static final int SHOWN_BAD = 100;

  private static final int SHOWN_LEFT_OUT = 20;

  /** What each usable clip is used for. */
  static final String CLIPS = "clips.tsv";

  private final Path cacheFolder;
  private final PreparationProgress progress;

  Preparation(Path cacheFolder, PreparationProgress progress) {
    this.cacheFolder = cacheFolder;
    this.progress = progress;
  }

  /**
   * Prepares data and hands it, still open, to an action.
   *
   * @param reading how a voice reads that goes on learning; empty for a new one
   */
  <T> T with(ValettsConfig config, Optional<Supplier<TextFrontEnd>> reading, Action<T> action) {
    Opened opened = open(config, reading);
    try (TextFrontEnd frontEnd = opened.frontEnd;
        PreparedData data = opened.data) {
      return action.take(frontEnd, data);
    }
  }

  private record Opened(TextFrontEnd frontEnd, PreparedData data) {}

  /** A method of its own, so that the rows that were read do not stay in memory for the length of a run. */
  private Opened open(ValettsConfig config, Optional<Supplier<TextFrontEnd>> reading) {
    List<Corpus> corpora =
        CorpusReader.read(config.data().sources(), cacheFolder, config.data().threads(), progress::notice);
    TextFrontEnd frontEnd = frontEnd(config, reading, corpora);
    try {
      PreparedData data =
          DatasetPreparation.prepare(
              corpora, config.data(), config.text(), config.audio(), frontEnd, prepared(), progress);
      return new Opened(frontEnd, data);
    } catch (RuntimeException e) {
      frontEnd.close();
      throw e;
    }
  }

  /** What is done with prepared data. */
  interface Action<T> {
    T take(TextFrontEnd frontEnd, PreparedData data);
  }

  private TextFrontEnd frontEnd(
      ValettsConfig config, Optional<Supplier<TextFrontEnd>> reading, List<Corpus> corpora) {
    return reading.isPresent()
        ? reading.get().get()
        : TextFrontEnds.open(config.text(), () -> DatasetPreparation.texts(corpora, config.text()), progress::notice);
  }

  private Path prepared() {
    return cacheFolder.resolve("prepared");
  }

  PrepareResult run(ValettsConfig config) {
    return new Preparation(cacheFolder, withoutRows(progress)).with(
        config,
        Optional.empty(),
        (frontEnd, data) -> {
          Path folder = prepared().resolve("sets").resolve(config.name());
          writeReport(data, folder, config.name());
          writeSet(data, folder);
          DataReport report = data.report();
          return new PrepareResult(
              describe(report),
              folder.resolve(DataReportFiles.JSON),
              folder.resolve(DataReportFiles.PAGE),
              report.usable(),
              report.bad().size(),
              report.leftOut().size(),
              report.refusal());
        });
  }

  /** Writes who speaks, and which clip is used for what. */
  private static void writeSet(PreparedData data, Path folder) {
    List<String> lines = new ArrayList<>();
    lines.add("split\tspeaker\tlanguage\tname\tsamples\trecording\trow");
    data.training().forEach(clip -> lines.add(line("train", clip)));
    data.validation().forEach(clip -> lines.add(line("validation", clip)));
    try {
      data.speakers().write(folder.resolve(SavedVoice.SPEAKERS));
      Files.write(folder.resolve(CLIPS), lines);
    } catch (IOException e) {
      throw new UncheckedIOException("the prepared set cannot be written to " + folder + ": " + e.getMessage(), e);
    }
  }

  private static String line(String split, Clip clip) {
    String row = clip.metadataFile() + ":" + clip.line();
    return Stream.of(
            split, clip.speaker(), clip.language(), clip.name(), String.valueOf(clip.samples()),
            clip.audioFile().toString(), row)
        .map(field -> field.replaceAll("[\\t\\r\\n]", " "))
        .collect(Collectors.joining("\t"));
  }

  /** Writes the report for a program and for a person. */
  static void writeReport(PreparedData data, Path folder, String name) {
    try {
      Files.createDirectories(folder);
      DataReportFiles.write(data.report(), folder, name);
    } catch (IOException e) {
      throw new UncheckedIOException("the report cannot be written to " + folder + ": " + e.getMessage(), e);
    }
  }

  /** The same progress without the rows, which the command lists in full. */
  private static PreparationProgress withoutRows(PreparationProgress progress) {
    return new PreparationProgress() {
      @Override
      public void notice(String text) {
        progress.notice(text);
      }

      @Override
      public void rows(String text) {}

      @Override
      public void step(String what, long done, long total) {
        progress.step(what, done, total);
      }
    };
  }

  private static void append(List<DataReport.Row> rows, int shown, StringBuilder text) {
    rows.stream().limit(shown).forEach(row -> text.append("  ").append(row).append('\n'));
    if (rows.size() > shown) {
      text.append("  and ").append(rows.size() - shown).append(" more, in the report\n");
    }
  }

  static String describe(DataReport report) {
    StringBuilder text = new StringBuilder();
    for (DataReport.Source source : report.sources()) {
      text.append(String.format(Locale.ROOT, "%s: %s, %d rows%n", source.folder(), source.format(), source.rows()));
    }
    text.append(String.format(Locale.ROOT, "%d rows: %d to train on, %d held out, %.2f hours, text read by %s%n",
        report.rows(), report.training(), report.validation(), report.hours(), report.textFrontEnd()));
    for (DataReport.Speaker speaker : report.speakers()) {
      text.append(String.format(Locale.ROOT, "  speaker %s: %d clips, %.1f minutes%n",
          speaker.name(), speaker.clips(), speaker.minutes()));
    }
    report.conversions().forEach(conversion -> text.append("  ").append(conversion).append('\n'));
    if (!report.bad().isEmpty()) {
      text.append(report.bad().size()).append(" rows cannot be used:\n");
      append(report.bad(), SHOWN_BAD, text);
    }
    if (!report.leftOut().isEmpty()) {
      text.append(report.leftOut().size()).append(" rows are left out for their length:\n");
      append(report.leftOut(), SHOWN_LEFT_OUT, text);
    }
    report.counts().forEach((kind, count) -> {
      if (kind.weight() == Finding.Weight.REMARK) {
        text.append(String.format(Locale.ROOT, "remark: %s: %d%n", kind.title(), count));
      }
    });
    return text.toString();
  }
}
