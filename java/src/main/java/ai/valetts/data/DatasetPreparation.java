package ai.valetts.data;

import ai.valetts.config.AudioConfig;
import ai.valetts.config.DataConfig;
import ai.valetts.config.TextConfig;
import ai.valetts.data.corpus.Corpus;
import ai.valetts.data.corpus.CorpusRow;
import ai.valetts.data.corpus.Finding;
import ai.valetts.data.corpus.Finding.Kind;
import ai.valetts.data.corpus.LanguageTag;
import ai.valetts.text.SampleText;
import ai.valetts.text.TextException;
import ai.valetts.text.TextFrontEnd;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Checks every row of the data, decodes every recording once, and splits off the validation clips. The order of the
 * result depends on the data and the configuration alone.
 */
public final class DatasetPreparation {
  /** Problems named in a message; the report holds all. */
  private static final int SHOWN = 10;

  /** Rows left out for their length are no fault, so a few examples do. */
  private static final int SHOWN_LEFT_OUT = 3;

  private final DataConfig data;
  private final TextConfig text;
  private final AudioConfig audio;
  private final TextFrontEnd frontEnd;
  private final PreparationProgress progress;
  private final RecordingChecks checks;

  private final List<Noted> noted = new ArrayList<>();
  private final Map<String, Integer> conversions = new TreeMap<>();
  private final List<Clip> clips = new ArrayList<>();
  private final Map<Long, PreparedData.Recording> recordings = new HashMap<>();
  private final Map<String, CorpusRow> firstByName = new HashMap<>();
  private final Map<Path, CorpusRow> firstByRecording = new HashMap<>();
  private final Map<String, Candidate> firstByContent = new HashMap<>();
  private final Map<String, CorpusRow> firstByText = new HashMap<>();
  private final Map<String, String> unknownLanguages = new HashMap<>();
  private final Map<String, String> equalTexts = new HashMap<>();
  private final TreeSet<String> namedInRows = new TreeSet<>();
  private final TreeSet<String> expected = new TreeSet<>();
  private int rows;
  private long trimmedSamples;

  /** Something about a row; {@code order} restores the order of the rows. */
  private record Noted(int order, Kind kind, DataReport.Row row) {}

  /** A row whose text is sound and whose recording exists. */
  private record Candidate(int order, CorpusRow row, String language, String speaker, ReadText read) {}

  private DatasetPreparation(
      DataConfig data, TextConfig text, AudioConfig audio, TextFrontEnd frontEnd, PreparationProgress progress) {
    this.data = data;
    this.text = text;
    this.audio = audio;
    this.frontEnd = frontEnd;
    this.progress = progress;
    this.checks = new RecordingChecks(data, audio);
  }

  /**
   * Prepares all sources. Where too many rows are bad or none is usable, the result says so in {@link
   * PreparedData#refusal()} and still reports everything.
   *
   * @param corpora {@code data}'s sources, read
   * @param frontEnd reads the texts; stays open
   * @param cacheDir folder for decoded recordings, shared by all runs
   * @param progress told what is converted, left out or slow
   * @throws java.io.UncheckedIOException if the cache cannot be written
   * @throws TextException if espeak-ng lacks a language of the configuration
   */
  public static PreparedData prepare(
      List<Corpus> corpora,
      DataConfig data,
      TextConfig text,
      AudioConfig audio,
      TextFrontEnd frontEnd,
      Path cacheDir,
      PreparationProgress progress) {
    List<AudioStore> stores = new ArrayList<>();
    try {
      return new DatasetPreparation(data, text, audio, frontEnd, progress).prepare(corpora, cacheDir, stores);
    } catch (RuntimeException e) {
      stores.forEach(AudioStore::close);
      throw e;
    }
  }

  /** The texts of all rows, for a front end that learns its symbols from them. */
  public static List<SampleText> texts(List<Corpus> corpora, TextConfig text) {
    return corpora.stream()
        .flatMap(corpus -> corpus.rows().stream()
            .filter(row -> !row.isBad())
            .map(row -> new SampleText(row.text(), LanguageTag.voice(row.language(), configuredLanguage(corpus, text)))))
        .toList();
  }

  private static String configuredLanguage(Corpus corpus, TextConfig text) {
    return corpus.source().language() == null ? text.language() : corpus.source().language();
  }

  private PreparedData prepare(List<Corpus> corpora, Path cacheDir, List<AudioStore> stores) {
    for (Corpus corpus : corpora) {
      List<Candidate> candidates;
      try (TextCache texts = TextCache.open(cacheDir, frontEnd, text)) {
        candidates = candidates(corpus, texts);
      }
      List<Path> files = candidates.stream().map(candidate -> candidate.row.audioFile()).distinct().toList();
      AudioStore.Settings settings = new AudioStore.Settings(audio.sampleRateHz(), data.trim());
      AudioStore.Opened opened =
          AudioStore.open(cacheDir, corpus.folder(), files, settings, data.threads(), progress);
      stores.add(opened.store());
      for (Candidate candidate : candidates) {
        accept(candidate, opened);
      }
    }
    List<String> converted = conversions.entrySet().stream().map(e -> clips(e.getValue()) + " " + e.getKey()).toList();
    converted.forEach(progress::notice);
    noted.sort(Comparator.comparingInt(Noted::order));
    List<DataReport.Row> bad = noted(Finding.Weight.BAD);
    List<DataReport.Row> leftOut = noted(Finding.Weight.LEFT_OUT);
    tell(leftOut, "are left out for their length", SHOWN_LEFT_OUT);
    tell(bad, "cannot be used and are left out", SHOWN);

    Speakers speakers = speakers();
    List<Clip> numbered = clips.stream().map(clip -> clip.of(speakers)).toList();
    List<Clip> validation = validationClips(numbered, speakers);
    List<Clip> training = new ArrayList<>(numbered);
    training.removeAll(validation);
    String refusal = refusal(bad, leftOut, speakers);
    DataReport report = report(corpora, speakers, training, validation.size(), converted, refusal);
    return new PreparedData(training, validation, speakers, frontEnd.symbols(), report, recordings, stores, refusal);
  }

  /** Reads the rows and texts of one corpus. */
  private List<Candidate> candidates(Corpus corpus, TextCache texts) {
    List<Candidate> candidates = new ArrayList<>();
    String otherwise = corpus.speaker();
    if (corpus.rows().stream().allMatch(row -> row.speaker() == null)) {
      expected.add(otherwise);
    }
    for (CorpusRow row : corpus.rows()) {
      int order = rows++;
      row.findings().forEach(finding -> note(order, row, finding));
      if (row.isBad() || row.audioFile() == null) {
        continue;
      }
      String speaker = row.speaker() == null ? otherwise : row.speaker();
      if (row.speaker() != null) {
        namedInRows.add(speaker);
      }
      if (isListedTwice(order, row, speaker)) {
        continue;
      }
      candidate(order, corpus, row, speaker, texts, candidates);
      progress.step(corpus.folder() + ": texts", candidates.size(), corpus.rows().size());
    }
    return candidates;
  }

  private boolean isListedTwice(int order, CorpusRow row, String speaker) {
    CorpusRow sameName = firstByName.putIfAbsent(speaker + "/" + row.name(), row);
    CorpusRow sameFile = firstByRecording.putIfAbsent(row.audioFile(), row);
    CorpusRow first = sameName != null ? sameName : sameFile;
    if (first == null) {
      return false;
    }
    String what = sameName != null ? "the name " + row.name() : "the recording " + row.audioFile().getFileName();
    note(order, row, new Finding(Kind.DUPLICATE_ID, what + " stands in " + place(first) + " already; that row counts"));
    return true;
  }

  private static String place(CorpusRow row) {
    return row.metadataFile().getFileName() + ":" + row.line();
  }

  private void candidate(
      int order, Corpus corpus, CorpusRow row, String speaker, TextCache texts, List<Candidate> candidates) {
    String configured = configuredLanguage(corpus, text);
    String language = LanguageTag.voice(row.language(), configured);
    ReadText read = read(order, row, texts, language, configured);
    if (read == null) {
      return;
    }
    if (!read.removed().isEmpty()) {
      String signs = String.join(" ", read.removed());
      note(order, row, new Finding(Kind.SIGNS_LEFT_OUT, "not read, since nobody can know how: " + signs));
    }
    int symbols = read.ids().length;
    if (!read.unknown().isEmpty()) {
      note(order, row, new Finding(Kind.UNKNOWN_SYMBOL, "unknown symbol " + read.unknown()));
    } else if (read.phonemeCount() == 0) {
      note(order, row, new Finding(Kind.EMPTY_TEXT, "the text has nothing that can be spoken"));
    } else if (symbols > text.maxSymbols()) {
      String found = symbols + " symbols, above text.maxSymbols = " + text.maxSymbols();
      note(order, row, new Finding(Kind.LONG_TEXT, "the text is too long: " + found));
    } else {
      candidates.add(new Candidate(order, row, language, speaker, read));
    }
  }

  /** Null if the row names a language that cannot be read; a language of the configuration ends everything. */
  private ReadText read(int order, CorpusRow row, TextCache texts, String language, String configured) {
    if (!unknownLanguages.containsKey(language)) {
      try {
        return texts.read(row.text(), language);
      } catch (TextException e) {
        if (language.equals(configured)) {
          throw e;
        }
        unknownLanguages.put(language, e.getMessage());
      }
    }
    note(order, row, new Finding(Kind.UNKNOWN_LANGUAGE, unknownLanguages.get(language)));
    return null;
  }

  /** Turns a row into a clip if its decoded recording fits. */
  private void accept(Candidate candidate, AudioStore.Opened opened) {
    CorpusRow row = candidate.row;
    RecordingEntry entry = opened.entry(row.audioFile());
    List<Finding> findings = new ArrayList<>(checks.check(row, entry, candidate.read));
    if (isUsable(findings)) {
      findings.addAll(repetitions(candidate, entry));
    }
    findings.forEach(finding -> note(candidate.order, row, finding));
    if (!isUsable(findings)) {
      return;
    }
    Clip clip =
        new Clip(
            unusedId(candidate.speaker, row.name()),
            row.name(),
            row.audioFile(),
            row.metadataFile(),
            row.line(),
            row.text(),
            candidate.language,
            candidate.speaker,
            0,
            candidate.read.ids(),
            entry.samples());
    clips.add(clip);
    recordings.put(clip.id(), new PreparedData.Recording(opened.store(), AudioStore.Location.of(entry)));
    trimmedSamples += entry.trimmedSamples();
    countConversion(entry);
  }

  private static boolean isUsable(List<Finding> findings) {
    return findings.stream().allMatch(finding -> finding.kind().weight() == Finding.Weight.REMARK);
  }

  private List<Finding> repetitions(Candidate candidate, RecordingEntry entry) {
    CorpusRow row = candidate.row;
    Candidate same = firstByContent.putIfAbsent(entry.sha256(), candidate);
    if (same != null && !same.read.phonemes().equals(candidate.read.phonemes())) {
      String detail = "its sound is that of " + place(same.row) + ", but the text is another: one of them is wrong";
      return List.of(new Finding(Kind.DUPLICATE_AUDIO, detail));
    }
    if (same != null) {
      return List.of(new Finding(Kind.REPEATED_AUDIO, "its sound and text are those of " + place(same.row)));
    }
    CorpusRow said = firstByText.putIfAbsent(candidate.speaker + "/" + candidate.read.phonemes(), row);
    return said == null
        ? List.of()
        : List.of(new Finding(Kind.REPEATED_TEXT, "the speaker says the same in " + place(said)));
  }

  private void countConversion(RecordingEntry entry) {
    if (entry.sourceSampleRateHz() != audio.sampleRateHz() || entry.sourceChannels() != 1) {
      String channels = RecordingChecks.channels(entry.sourceChannels());
      String from = "converted from " + entry.sourceSampleRateHz() + " Hz " + channels;
      conversions.merge(from + " to " + audio.sampleRateHz() + " Hz mono", 1, Integer::sum);
    }
  }

  /** Equal keys would draw equal noise. */
  private long unusedId(String speaker, String name) {
    String key = speaker + "/" + name;
    long id = hash(key);
    for (int copy = 2; recordings.containsKey(id); copy++) {
      id = hash(key + "#" + copy);
    }
    return id;
  }

  /** A positive number that never changes for a key. */
  private static long hash(String key) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      return ByteBuffer.wrap(digest).getLong() & Long.MAX_VALUE;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private void note(int order, CorpusRow row, Finding finding) {
    // One of many equal texts is kept: "converted from 44100 Hz" can stand at every row.
    String file = equalTexts.computeIfAbsent(row.metadataFile().toString(), text -> text);
    String detail = equalTexts.computeIfAbsent(finding.detail(), text -> text);
    DataReport.Row noted = new DataReport.Row(finding.kind().slug(), file, row.line(), row.name(), detail);
    this.noted.add(new Noted(order, finding.kind(), noted));
  }

  /** Rows with findings of a weight; a row with several is there for the first. */
  private List<DataReport.Row> noted(Finding.Weight weight) {
    List<DataReport.Row> found = new ArrayList<>();
    int last = -1;
    for (Noted one : noted) {
      boolean counted = weight != Finding.Weight.REMARK && one.order == last;
      if (one.kind.weight() == weight && !counted) {
        found.add(one.row);
        last = one.order;
      }
    }
    return found;
  }

  private void tell(List<DataReport.Row> problems, String what, int shown) {
    if (!problems.isEmpty()) {
      progress.rows(problems.size() + " of " + rows + " rows " + what + ":" + first(problems, shown));
    }
  }

  private static String first(List<DataReport.Row> problems, int shown) {
    String listed = problems.stream().limit(shown).map(row -> "\n  " + row).collect(Collectors.joining());
    return problems.size() <= shown ? listed : listed + "\n  and " + (problems.size() - shown) + " more";
  }

  private static String clips(int count) {
    return count == 1 ? "1 clip" : count + " clips";
  }

  /** Speakers with a clip, each with the language of most of their clips. */
  private Speakers speakers() {
    Map<String, Map<String, Integer>> spoken = new TreeMap<>();
    for (Clip clip : clips) {
      spoken.computeIfAbsent(clip.speaker(), name -> new TreeMap<>()).merge(clip.language(), 1, Integer::sum);
    }
    Map<String, String> languages = new TreeMap<>();
    spoken.forEach(
        (name, counts) ->
            languages.put(name, counts.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey()));
    TreeSet<String> silent = new TreeSet<>(namedInRows);
    silent.removeAll(languages.keySet());
    if (!silent.isEmpty()) {
      progress.notice("no usable clip of " + String.join(", ", silent) + ": left out");
    }
    return Speakers.of(languages);
  }

  /** Why no run should start with this; null if one may. */
  private String refusal(List<DataReport.Row> bad, List<DataReport.Row> leftOut, Speakers speakers) {
    List<DataReport.Row> problems = new ArrayList<>(bad);
    problems.addAll(leftOut);
    if (clips.isEmpty()) {
      String folders = data.sources().stream().map(DataConfig.Source::folder).collect(Collectors.joining(", "));
      return "no usable clip among the " + rows + " rows of " + folders + kinds(Finding.Weight.BAD, Finding.Weight.LEFT_OUT) + first(problems, SHOWN);
    }
    if (bad.size() > data.maxBad() * rows) {
      return String.format(
          Locale.ROOT,
          "%d of %d rows cannot be used, more than data.maxBad = %s allows (--max-bad raises it;"
              + " `valetts prepare` writes all of them to a report)%s%s",
          bad.size(),
          rows,
          data.maxBad(),
          kinds(Finding.Weight.BAD),
          first(bad, SHOWN));
    }
    TreeSet<String> silent = new TreeSet<>(expected);
    speakers.names().forEach(silent::remove);
    if (!silent.isEmpty()) {
      return "no usable clip of speaker " + String.join(", ", silent) + first(problems, SHOWN);
    }
    return null;
  }

  /** ": 12 missing recording, 3 empty text". */
  private String kinds(Finding.Weight... weights) {
    Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
    for (Noted one : noted) {
      if (List.of(weights).contains(one.kind.weight())) {
        counts.merge(one.kind, 1, Integer::sum);
      }
    }
    return counts.isEmpty()
        ? ""
        : ": "
            + counts.entrySet().stream()
                .map(count -> count.getValue() + " x " + count.getKey().title())
                .collect(Collectors.joining(", "));
  }

  /**
   * Takes turns among the speakers, each giving the clip with the smallest hash, and leaves each at least one to train
   * on. New clips can take the place of old ones, which are then trained on; no clip that was trained on is held out
   * because others came.
   */
  private List<Clip> validationClips(List<Clip> all, Speakers speakers) {
    Map<String, List<Clip>> waiting = new LinkedHashMap<>();
    speakers.names().forEach(name -> waiting.put(name, new ArrayList<>()));
    all.forEach(clip -> waiting.get(clip.speaker()).add(clip));
    waiting.values().forEach(own -> own.sort(Comparator.comparingLong(Clip::id)));
    List<Clip> chosen = new ArrayList<>();
    boolean more = true;
    for (int turn = 0; more && chosen.size() < data.validationClips(); turn++) {
      more = false;
      for (List<Clip> own : waiting.values()) {
        if (turn < own.size() - 1 && chosen.size() < data.validationClips()) {
          chosen.add(own.get(turn));
          more = true;
        }
      }
    }
    chosen.sort(Comparator.comparing(Clip::speaker).thenComparing(Clip::name).thenComparing(Clip::line));
    return chosen;
  }

  private DataReport report(
      List<Corpus> corpora,
      Speakers speakers,
      List<Clip> training,
      int validation,
      List<String> converted,
      String refusal) {
    double samplesPerHour = 3600.0 * audio.sampleRateHz();
    return new DataReport(
        rows,
        training.size(),
        validation,
        clips.stream().mapToLong(Clip::samples).sum() / samplesPerHour,
        trimmedSamples / samplesPerHour,
        frontEnd.version(),
        refusal,
        corpora.stream().map(DatasetPreparation::source).toList(),
        speakerShares(speakers),
        languageShares(),
        DataReport.Histogram.of(
            1, clips.stream().mapToDouble(clip -> (double) clip.samples() / audio.sampleRateHz()).toArray()),
        DataReport.Histogram.of(20, clips.stream().mapToDouble(clip -> clip.tokenIds().length).toArray()),
        batches(new EpochPlan(training, data, audio.hopLength(), 0)),
        noted(Finding.Weight.BAD),
        noted(Finding.Weight.LEFT_OUT),
        noted(Finding.Weight.REMARK),
        converted);
  }

  private static DataReport.Batches batches(EpochPlan plan) {
    double[] repetitions = plan.repetitions();
    return new DataReport.Batches(plan.batches(0).size(), plan.paddedShare(0), repetitions[0], repetitions[1]);
  }

  private static DataReport.Source source(Corpus corpus) {
    return new DataReport.Source(
        corpus.folder().toString(), corpus.format(), corpus.detection(), corpus.metadataFiles(), corpus.rows().size());
  }

  private List<DataReport.Speaker> speakerShares(Speakers speakers) {
    Map<String, List<Clip>> bySpeaker = clips.stream().collect(Collectors.groupingBy(Clip::speaker));
    List<DataReport.Speaker> shares = new ArrayList<>();
    for (String name : speakers.names()) {
      List<Clip> own = bySpeaker.get(name);
      long samples = own.stream().mapToLong(Clip::samples).sum();
      double minutes = samples / 60.0 / audio.sampleRateHz();
      shares.add(new DataReport.Speaker(name, speakers.languageOf(name).orElse(""), own.size(), minutes));
    }
    return shares;
  }

  private List<DataReport.Language> languageShares() {
    List<DataReport.Language> shares = new ArrayList<>();
    new TreeMap<>(clips.stream().collect(Collectors.groupingBy(Clip::language)))
        .forEach(
            (name, own) -> {
              int people = (int) own.stream().map(Clip::speaker).distinct().count();
              double hours = own.stream().mapToLong(Clip::samples).sum() / 3600.0 / audio.sampleRateHz();
              shares.add(new DataReport.Language(name, people, own.size(), hours));
            });
    return shares;
  }
}
