package ai.valetts.data.corpus;

import ai.valetts.audio.AudioReader;
import ai.valetts.config.DataConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Reads sources: unpacks archives, tells the format where it is not stated, and reads every row. */
public final class CorpusReader {
  static final String METADATA = "metadata.csv";

  /** Published texts of this kind hold phonemes instead of text. */
  private static final String PHONEMES = ".cleaned";

  /** Rows looked at to tell a list of recordings from other text. */
  private static final int PROBED_LINES = 50;

  private static final List<String> COMMON_VOICE_SPLITS = List.of("train.tsv", "dev.tsv", "test.tsv");

  private final DataConfig.Source source;
  private final Path folder;
  private final int threads;

  /** A format and the files it reads. */
  private record Detected(String format, List<Path> files, String how) {}

  private CorpusReader(DataConfig.Source source, Path folder, int threads) {
    this.source = source;
    this.folder = folder;
    this.threads = threads;
  }

  /**
   * Reads all sources in their order.
   *
   * @param cacheFolder archives are unpacked to {@code unpacked/} in it
   * @param notice told what each source turns out to be
   * @throws CorpusException if one of them cannot be read as a corpus
   * @throws UncheckedIOException if a file or folder cannot be read, or an archive's content not be kept
   */
  public static List<Corpus> read(
      List<DataConfig.Source> sources, Path cacheFolder, int threads, Consumer<String> notice) {
    List<Corpus> corpora = new ArrayList<>();
    for (DataConfig.Source source : sources) {
      Path path = Path.of(source.folder()).toAbsolutePath().normalize();
      if (!Files.exists(path)) {
        throw new CorpusException("the data folder " + path + " does not exist");
      }
      Path folder = Files.isDirectory(path) ? path : Archive.unpack(path, cacheFolder.resolve("unpacked"), notice);
      corpora.add(new CorpusReader(source, singleFolder(folder), threads).read(notice));
    }
    return corpora;
  }

  /** Archives usually hold one folder that holds everything. */
  private static Path singleFolder(Path folder) {
    List<Path> inside = list(folder).stream().filter(file -> !isHidden(file)).toList();
    return inside.size() == 1 && Files.isDirectory(inside.get(0)) && !isAudioFolder(inside.get(0))
        ? singleFolder(inside.get(0))
        : folder;
  }

  private static boolean isHidden(Path file) {
    String name = file.getFileName().toString();
    return name.startsWith(".") || name.equals("__MACOSX");
  }

  private static boolean isAudioFolder(Path folder) {
    return List.of("wavs", "wav", "clips", "audio").contains(folder.getFileName().toString());
  }

  private Corpus read(Consumer<String> notice) {
    boolean auto = source.format() == null || source.format().equals("auto");
    Detected detected = auto ? detect() : stated(source.format());
    List<CorpusRow> rows = new ArrayList<>();
    String how = detected.how;
    if (detected.format.equals("vctk")) {
      rows.addAll(Vctk.rows(folder, threads));
    }
    for (Path file : detected.files) {
      MetadataText text = MetadataText.read(file);
      RowMaker maker = new RowMaker(file, new RecordingFinder(folder, file.getParent()));
      rows.addAll(rows(detected.format, text, maker));
    }
    if (auto && !detected.format.equals("ljspeech")) {
      notice.accept(folder + " is read as " + detected.format + ": " + how);
    }
    List<String> names = detected.files.stream().map(file -> folder.relativize(file).toString()).toList();
    return new Corpus(source, folder, detected.format, how, names, rows);
  }

  private List<CorpusRow> rows(String format, MetadataText text, RowMaker maker) {
    return switch (format) {
      case "common_voice" -> HeaderTable.rows(text, HeaderTable.Layout.COMMON_VOICE, maker);
      case "coqui" -> HeaderTable.rows(text, HeaderTable.Layout.COQUI, maker);
      case "valetts" -> HeaderTable.rows(text, HeaderTable.Layout.VALETTS, maker);
      case "table" -> table(text, maker);
      case "ljspeech" -> {
        boolean normalized = PipeList.layout(text) != PipeList.Layout.TEXT;
        PipeList.Layout layout = normalized ? PipeList.Layout.TEXT_NORMALIZED : PipeList.Layout.TEXT;
        yield PipeList.rows(text, layout, maker);
      }
      default -> {
        boolean speakers = PipeList.layout(text) != PipeList.Layout.TEXT;
        PipeList.Layout layout = speakers ? PipeList.Layout.SPEAKER_TEXT : PipeList.Layout.TEXT;
        yield PipeList.rows(text, layout, maker);
      }
    };
  }

  private List<CorpusRow> table(MetadataText text, RowMaker maker) {
    String name = text.file().getFileName().toString().toLowerCase(Locale.ROOT);
    DataConfig.Columns columns = source.columns();
    if (name.endsWith(".jsonl") || name.endsWith(".json") || name.endsWith(".ndjson")) {
      return JsonLines.rows(text, columns, maker);
    }
    char delimiter = columns.delimiter() != null ? columns.delimiter().charAt(0) : delimiter(text);
    return HeaderTable.rows(text, HeaderTable.Layout.of(columns, delimiter, delimiter != '\t'), maker);
  }

  /** The delimiter that the first line has most of. */
  static char delimiter(MetadataText text) {
    String first =
        text.lines().stream().map(MetadataText.Line::text).filter(line -> !line.isBlank()).findFirst().orElse("");
    char best = ',';
    long most = 0;
    for (char candidate : new char[] {'\t', '|', ';', ','}) {
      long count = first.chars().filter(c -> c == candidate).count();
      if (count > most) {
        most = count;
        best = candidate;
      }
    }
    return best;
  }

  private Detected stated(String format) {
    if (format.equals("vctk")) {
      if (!Vctk.isIn(folder)) {
        throw new CorpusException(
            folder + " is not VCTK: it needs txt/ and wav48_silence_trimmed/ (0.92) or wav48/ (older)");
      }
      return new Detected("vctk", List.of(), "as configured");
    }
    if (source.metadata() != null) {
      return new Detected(format, List.of(metadata()), "as configured");
    }
    List<Path> files =
        switch (format) {
          case "common_voice" -> commonVoice();
          case "vits" -> vitsLists();
          case "ljspeech", "piper" -> existing(METADATA);
          default -> {
            List<Path> usual = existing(METADATA);
            yield usual.isEmpty() ? tables() : usual;
          }
        };
    if (files.isEmpty()) {
      throw new CorpusException(
          folder + " has no file that lists its recordings as " + format + " does; name it in metadata");
    }
    return new Detected(format, files, "as configured");
  }

  private Path metadata() {
    Path file = folder.resolve(source.metadata()).normalize();
    if (!Files.isRegularFile(file)) {
      throw new CorpusException(file + " does not exist; it is what metadata names");
    }
    return file;
  }

  private List<Path> existing(String name) {
    Path file = folder.resolve(name);
    return Files.isRegularFile(file) ? List.of(file) : List.of();
  }

  private Detected detect() {
    if (source.metadata() != null) {
      Path file = metadata();
      return detect(file)
          .orElseThrow(
              () ->
                  new CorpusException(
                      file + " is in no known format; set format: table and columns: {audio: NAME, text: NAME}"));
    }
    if (Vctk.isIn(folder)) {
      return new Detected("vctk", List.of(), "txt/ beside wav48 folders");
    }
    List<Path> commonVoice = commonVoice();
    if (!commonVoice.isEmpty()) {
      return new Detected("common_voice", commonVoice, names(commonVoice) + " with client_id, path and sentence");
    }
    for (Path file : Stream.concat(existing(METADATA).stream(), tables().stream()).toList()) {
      Optional<Detected> detected = detect(file);
      if (detected.isPresent()) {
        return detected.get();
      }
    }
    List<Path> lists = vitsLists();
    if (!lists.isEmpty()) {
      PipeList.Layout layout = PipeList.layout(MetadataText.read(lists.get(0)));
      return new Detected("vits", lists, names(lists) + " with " + described(layout));
    }
    throw unknown();
  }

  private static String described(PipeList.Layout layout) {
    return layout == PipeList.Layout.TEXT ? "\"path|text\"" : PipeList.Layout.SPEAKER_TEXT.description();
  }

  /** What one file looks like. */
  private Optional<Detected> detect(Path file) {
    MetadataText text = MetadataText.read(file);
    String name = file.getFileName().toString();
    if (isHeaderOf(text, HeaderTable.Layout.COMMON_VOICE)) {
      return Optional.of(new Detected("common_voice", List.of(file), name + " with client_id, path and sentence"));
    }
    if (isHeaderOf(text, HeaderTable.Layout.VALETTS)) {
      return Optional.of(new Detected("valetts", List.of(file), name + " with the column audio_path"));
    }
    if (isHeaderOf(text, HeaderTable.Layout.COQUI)) {
      return Optional.of(new Detected("coqui", List.of(file), name + " with the columns audio_file|text"));
    }
    if (!name.endsWith(".csv") && !name.endsWith(".txt")) {
      return Optional.empty();
    }
    boolean pipes = text.lines().stream().map(MetadataText.Line::text).anyMatch(line -> line.contains("|"));
    boolean empty = text.lines().stream().allMatch(line -> line.text().isBlank());
    if (name.equals(METADATA) ? !pipes && !empty : !listsRecordings(text)) {
      return Optional.empty();
    }
    PipeList.Layout layout = PipeList.layout(text);
    String format = name.endsWith(".txt") ? "vits" : layout == PipeList.Layout.SPEAKER_TEXT ? "piper" : "ljspeech";
    return Optional.of(new Detected(format, List.of(file), name + " with " + layout.description()));
  }

  private static boolean isHeaderOf(MetadataText text, HeaderTable.Layout layout) {
    return text.lines().stream()
        .filter(line -> !line.text().isBlank())
        .findFirst()
        .map(line -> DelimitedRecords.split(line.text(), layout.delimiter(), layout.quoted()))
        .map(layout::fits)
        .orElse(false);
  }

  private List<Path> commonVoice() {
    List<Path> validated = existing("validated.tsv");
    List<Path> candidates =
        validated.isEmpty()
            ? COMMON_VOICE_SPLITS.stream().flatMap(name -> existing(name).stream()).toList()
            : validated;
    return candidates.stream()
        .filter(file -> isHeaderOf(MetadataText.read(file), HeaderTable.Layout.COMMON_VOICE))
        .toList();
  }

  private List<Path> vitsLists() {
    List<Path> lists = new ArrayList<>();
    for (Path place : List.of(folder, folder.resolve("filelists"))) {
      for (Path file : list(place)) {
        if (file.toString().endsWith(".txt") && Files.isRegularFile(file) && listsRecordings(MetadataText.read(file))) {
          lists.add(file);
        }
      }
    }
    if (lists.isEmpty()) {
      refusePhonemes();
    }
    return lists;
  }

  private void refusePhonemes() {
    for (Path place : List.of(folder, folder.resolve("filelists"))) {
      for (Path file : list(place)) {
        if (file.toString().endsWith(PHONEMES)) {
          throw new CorpusException(
              file + " holds phonemes of another program; put the list of plain texts beside it, without " + PHONEMES);
        }
      }
    }
  }

  /** Whether most of the first rows name a sound file before a {@code |}. */
  private static boolean listsRecordings(MetadataText text) {
    int rows = 0;
    int recordings = 0;
    for (MetadataText.Line line : text.lines()) {
      if (line.text().isBlank() || rows >= PROBED_LINES) {
        continue;
      }
      rows++;
      String[] columns = line.text().split("\\|", -1);
      String first = columns[0].strip().toLowerCase(Locale.ROOT);
      if (columns.length > 1 && AudioReader.EXTENSIONS.stream().anyMatch(extension -> first.endsWith("." + extension))) {
        recordings++;
      }
    }
    return recordings > 0 && recordings >= 0.5 * rows;
  }

  private List<Path> tables() {
    return list(folder).stream()
        .filter(Files::isRegularFile)
        .filter(file -> file.toString().matches(".*\\.(csv|tsv|jsonl|ndjson)"))
        .filter(file -> !file.getFileName().toString().equals(METADATA))
        .toList();
  }

  private CorpusException unknown() {
    List<Path> tables = new ArrayList<>(existing(METADATA));
    tables.addAll(tables());
    if (!tables.isEmpty()) {
      Path file = tables.get(0);
      MetadataText text = MetadataText.read(file);
      String first = text.lines().get(0).text();
      return new CorpusException(
          file
              + " is in no known format; tell its columns: format: table, metadata: "
              + folder.relativize(file)
              + ", columns: {audio: NAME, text: NAME}. Its first line is: "
              + (first.length() > 200 ? first.substring(0, 200) + "..." : first));
    }
    return new CorpusException(
        folder.resolve(METADATA)
            + " does not exist; a data folder holds metadata.csv with lines \"id|text\" and recordings under wavs/,"
            + " or another format of docs/data.md");
  }

  private static String names(List<Path> files) {
    return String.join(", ", files.stream().map(file -> file.getFileName().toString()).toList());
  }

  private static List<Path> list(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(folder + " cannot be read: " + e.getMessage(), e);
    }
  }
}
