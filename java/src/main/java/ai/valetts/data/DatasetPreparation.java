package ai.valetts.data;

import ai.valetts.config.AudioConfig;
import ai.valetts.config.DataConfig;
import ai.valetts.config.TextConfig;
import ai.valetts.text.EncodedText;
import ai.valetts.text.TextFrontEnd;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
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
  private final Consumer<String> notice;

  private final List<DataReport.Row> bad = new ArrayList<>();
  private final List<DataReport.Row> leftOut = new ArrayList<>();
  private final Map<String, Integer> conversions = new TreeMap<>();
  private final List<Clip> clips = new ArrayList<>();
  private final Map<Long, PreparedData.Recording> recordings = new HashMap<>();
  private int rows;

  /** A row whose text is sound and whose recording exists. */
  private record Candidate(
      MetadataReader.Row row, Path audioFile, String language, String speaker, EncodedText encoded) {}

  private DatasetPreparation(
      DataConfig data, TextConfig text, AudioConfig audio, TextFrontEnd frontEnd, Consumer<String> notice) {
    this.data = data;
    this.text = text;
    this.audio = audio;
    this.frontEnd = frontEnd;
    this.notice = notice;
  }

  /**
   * Prepares all sources.
   *
   * @param frontEnd reads the texts; stays open
   * @param cacheDir folder for decoded recordings, shared by all runs
   * @param notice told what is converted, left out or slow
   * @throws DataException if a folder is missing, too many rows are bad or none is usable
   * @throws java.io.UncheckedIOException if the cache cannot be written
   * @throws ai.valetts.text.TextException if espeak-ng lacks a language
   */
  public static PreparedData prepare(
      DataConfig data,
      TextConfig text,
      AudioConfig audio,
      TextFrontEnd frontEnd,
      Path cacheDir,
      Consumer<String> notice) {
    List<AudioShard> shards = new ArrayList<>();
    try {
      return new DatasetPreparation(data, text, audio, frontEnd, notice).prepare(cacheDir, shards);
    } catch (RuntimeException e) {
      shards.forEach(AudioShard::close);
      throw e;
    }
  }

  /**
   * The texts of all rows, for a front end that learns its symbols from them.
   *
   * @throws DataException if a folder is missing
   */
  public static List<String> texts(DataConfig data) {
    List<String> texts = new ArrayList<>();
    for (DataConfig.Source source : data.sources()) {
      for (MetadataReader.Row row : MetadataReader.read(Path.of(source.folder()))) {
        if (row.text() != null) {
          texts.add(row.text());
        }
      }
    }
    return texts;
  }

  private PreparedData prepare(Path cacheDir, List<AudioShard> shards) {
    Speakers speakers = Speakers.of(data.sources().stream().map(DataConfig.Source::speaker).toList());
    for (DataConfig.Source source : data.sources()) {
      List<Candidate> candidates = candidates(source);
      List<Path> files = candidates.stream().map(Candidate::audioFile).distinct().toList();
      Path folder = Path.of(source.folder());
      AudioShard shard = AudioShard.open(cacheDir, folder, files, audio.sampleRateHz(), decodeThreads(), notice);
      shards.add(shard);
      for (Candidate candidate : candidates) {
        accept(candidate, shard, speakers);
      }
    }
    List<String> converted = conversions.entrySet().stream().map(e -> clips(e.getValue()) + " " + e.getKey()).toList();
    converted.forEach(notice);
    tell(leftOut, "are left out for their length", SHOWN_LEFT_OUT);
    tell(bad, "cannot be used and are left out", SHOWN);
    refuseIfTooManyAreBad(speakers);

    List<Clip> validation = validationClips(speakers);
    List<Clip> training = new ArrayList<>(clips);
    training.removeAll(validation);
    DataReport report = report(speakers, training.size(), validation.size(), converted);
    return new PreparedData(training, validation, speakers, frontEnd.symbols(), report, recordings, shards);
  }

  private int decodeThreads() {
    return data.decodeThreads() > 0 ? data.decodeThreads() : Runtime.getRuntime().availableProcessors();
  }

  /** Reads the rows and texts of one source. */
  private List<Candidate> candidates(DataConfig.Source source) {
    Path folder = Path.of(source.folder());
    String language = source.language() == null ? text.language() : source.language();
    List<Candidate> candidates = new ArrayList<>();
    for (MetadataReader.Row row : MetadataReader.read(folder)) {
      rows++;
      if (row.text() == null) {
        reject(row, "the row has no \"|\" between name and text");
        continue;
      }
      if (row.text().isBlank()) {
        reject(row, "the text is empty");
        continue;
      }
      Optional<Path> recording = MetadataReader.recording(folder, row.name());
      if (recording.isEmpty()) {
        reject(row, "there is no recording of that name in " + folder.resolve("wavs"));
        continue;
      }
      EncodedText encoded = frontEnd.encode(row.text(), language);
      if (!encoded.unknownSymbols().isEmpty()) {
        reject(row, "unknown symbol " + describe(encoded.unknownSymbols()));
      } else if (encoded.phonemeCount() == 0) {
        reject(row, "the text has nothing that can be spoken");
      } else if (encoded.ids().length > text.maxSymbols()) {
        String found = encoded.ids().length + " symbols, above text.maxSymbols = " + text.maxSymbols();
        leftOut.add(reportRow(row, "the text is too long: " + found));
      } else {
        Path file = recording.get().toAbsolutePath().normalize();
        candidates.add(new Candidate(row, file, language, source.speaker(), encoded));
      }
    }
    return candidates;
  }

  private static String describe(List<String> symbols) {
    return symbols.stream()
        .map(symbol -> String.format(Locale.ROOT, "\"%s\" (U+%04X)", symbol, symbol.codePointAt(0)))
        .collect(Collectors.joining(", "));
  }

  /** Turns a row into a clip if its decoded recording fits. */
  private void accept(Candidate candidate, AudioShard shard, Speakers speakers) {
    AudioShard.Entry entry = shard.entry(candidate.audioFile);
    MetadataReader.Row row = candidate.row;
    if (entry.failure() != null) {
      reject(row, candidate.audioFile + " " + entry.failure());
      return;
    }
    double seconds = (double) entry.samples() / audio.sampleRateHz();
    int frames = entry.samples() / audio.hopLength();
    int tokens = candidate.encoded.ids().length;
    if (seconds < data.minSeconds()) {
      leftOut.add(reportRow(row, duration(seconds, "below data.minSeconds", data.minSeconds())));
    } else if (seconds > data.maxSeconds()) {
      leftOut.add(reportRow(row, duration(seconds, "above data.maxSeconds", data.maxSeconds())));
    } else if (frames > longestBucket()) {
      leftOut.add(reportRow(row, frames + " frames, above the last of data.bucketFrames = " + longestBucket()));
    } else if (tokens > frames) {
      reject(row, "the text (" + tokens + " symbols) is longer than its recording (" + frames + " frames)");
    } else {
      Clip clip =
          new Clip(
              unusedId(candidate.speaker, row.name()),
              row.name(),
              candidate.audioFile,
              row.metadataFile(),
              row.line(),
              row.text(),
              candidate.language,
              candidate.speaker,
              speakers.idOf(candidate.speaker),
              candidate.encoded.ids(),
              entry.samples());
      clips.add(clip);
      recordings.put(clip.id(), new PreparedData.Recording(shard, entry));
      countConversion(entry);
    }
  }

  private static String duration(double seconds, String limit, double value) {
    return String.format(Locale.ROOT, "%.2f s, %s = %s", seconds, limit, value);
  }

  private int longestBucket() {
    List<Integer> edges = data.bucketFrames();
    return edges == null || edges.isEmpty() ? Integer.MAX_VALUE : edges.get(edges.size() - 1);
  }

  private void countConversion(AudioShard.Entry entry) {
    if (entry.sourceSampleRateHz() == audio.sampleRateHz() && entry.sourceChannels() == 1) {
      return;
    }
    String channels =
        switch (entry.sourceChannels()) {
          case 1 -> "mono";
          case 2 -> "stereo";
          default -> entry.sourceChannels() + " channels";
        };
    String from = "converted from " + entry.sourceSampleRateHz() + " Hz " + channels;
    conversions.merge(from + " to " + audio.sampleRateHz() + " Hz mono", 1, Integer::sum);
  }

  /** A name that occurs twice gets another id: equal keys would draw equal noise. */
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

  private void reject(MetadataReader.Row row, String reason) {
    bad.add(reportRow(row, reason));
  }

  private static DataReport.Row reportRow(MetadataReader.Row row, String reason) {
    return new DataReport.Row(row.metadataFile().toString(), row.line(), row.name(), reason);
  }

  private void tell(List<DataReport.Row> problems, String what, int shown) {
    if (!problems.isEmpty()) {
      notice.accept(problems.size() + " of " + rows + " rows " + what + ":" + first(problems, shown));
    }
  }

  private static String first(List<DataReport.Row> problems, int shown) {
    String listed = problems.stream().limit(shown).map(row -> "\n  " + row).collect(Collectors.joining());
    return problems.size() <= shown ? listed : listed + "\n  and " + (problems.size() - shown) + " more";
  }

  private static String clips(int count) {
    return count == 1 ? "1 clip" : count + " clips";
  }

  private void refuseIfTooManyAreBad(Speakers speakers) {
    List<DataReport.Row> problems = new ArrayList<>(bad);
    problems.addAll(leftOut);
    if (clips.isEmpty()) {
      String folders = data.sources().stream().map(DataConfig.Source::folder).collect(Collectors.joining(", "));
      throw new DataException("no usable clip among the " + rows + " rows of " + folders + first(problems, SHOWN));
    }
    if (bad.size() > data.maxBad() * rows) {
      throw new DataException(
          String.format(
              Locale.ROOT,
              "%d of %d rows cannot be used, more than data.maxBad = %s allows (--max-bad raises it;"
                  + " `valetts prepare` writes all of them to a report):%s",
              bad.size(),
              rows,
              data.maxBad(),
              first(bad, SHOWN)));
    }
    TreeSet<String> silent = new TreeSet<>(speakers.names());
    clips.forEach(clip -> silent.remove(clip.speaker()));
    if (!silent.isEmpty()) {
      throw new DataException("no usable clip of speaker " + String.join(", ", silent) + first(problems, SHOWN));
    }
  }

  /**
   * Takes turns among the speakers, each giving the clip with the smallest hash, and leaves each at least one to train
   * on. New clips therefore move few old ones.
   */
  private List<Clip> validationClips(Speakers speakers) {
    Map<String, List<Clip>> waiting = new LinkedHashMap<>();
    speakers.names().forEach(name -> waiting.put(name, new ArrayList<>()));
    clips.forEach(clip -> waiting.get(clip.speaker()).add(clip));
    waiting.values().forEach(own -> own.sort(Comparator.comparingLong(Clip::id)));
    List<Clip> chosen = new ArrayList<>();
    boolean progress = true;
    for (int turn = 0; progress && chosen.size() < data.validationClips(); turn++) {
      progress = false;
      for (List<Clip> own : waiting.values()) {
        if (turn < own.size() - 1 && chosen.size() < data.validationClips()) {
          chosen.add(own.get(turn));
          progress = true;
        }
      }
    }
    chosen.sort(Comparator.comparing(Clip::speaker).thenComparing(Clip::name).thenComparing(Clip::line));
    return chosen;
  }

  private DataReport report(Speakers speakers, int training, int validation, List<String> converted) {
    List<DataReport.Speaker> shares = new ArrayList<>();
    long total = 0;
    for (String name : speakers.names()) {
      List<Clip> own = clips.stream().filter(clip -> clip.speaker().equals(name)).toList();
      long samples = own.stream().mapToLong(Clip::samples).sum();
      total += samples;
      shares.add(new DataReport.Speaker(name, own.size(), samples / 60.0 / audio.sampleRateHz()));
    }
    return new DataReport(
        rows,
        training,
        validation,
        total / 3600.0 / audio.sampleRateHz(),
        frontEnd.version(),
        shares,
        List.copyOf(bad),
        List.copyOf(leftOut),
        converted);
  }
}
