package ai.valetts.data;

import ai.valetts.config.DataConfig;
import ai.valetts.data.corpus.CacheFailure;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Real recordings to try the program with: the voice prompts that Debian and Ubuntu package as {@code
 * asterisk-core-sounds-*}, one speaker a language, fetched with the system's own package client, for which no root is
 * needed. Each language becomes an LJSpeech-style folder in the cache, with the packages' credits beside the data.
 */
public final class DemoCorpus {
  private static final String METADATA = "metadata.csv";
  private static final String PACKAGE = "asterisk-core-sounds-";

  /** Written last; raise when the cleaning changes. */
  private static final String COMPLETE = "complete";

  private static final String VERSION = "1";

  private static final long MINUTES_FOR_DOWNLOAD = 30;

  /** File locks do not hold between threads of one process. */
  private static final Object PROCESS_LOCK = new Object();

  /** One speaker; the names are those of the packages' folders and credits. */
  private record Voice(String speaker, String espeakVoice) {}

  private static final Map<String, Voice> VOICES = new LinkedHashMap<>();

  static {
    VOICES.put("en", new Voice("en-allison", "en-us"));
    VOICES.put("es", new Voice("es-allison", "es-419"));
    VOICES.put("fr", new Voice("fr-june", "fr-fr"));
    VOICES.put("it", new Voice("it-carlo", "it"));
    VOICES.put("ru", new Voice("ru-ivrvoice", "ru"));
  }

  private final Path root;
  private final Consumer<String> notice;
  private final String searchPath;

  DemoCorpus(Path root, Consumer<String> notice, String searchPath) {
    this.root = root;
    this.notice = notice;
    this.searchPath = searchPath;
  }

  /** Languages there are recordings for. */
  public static List<String> languages() {
    return List.copyOf(VOICES.keySet());
  }

  /**
   * Fetches what is not in the cache yet. A second call does nothing; an interrupted one is done again.
   *
   * @param languages some of {@link #languages()}
   * @param cacheDir the cache; recordings go to {@code demo/<language>/}
   * @throws DataException if a language is unknown or the packages cannot be fetched, saying what to do instead
   * @throws UncheckedIOException if the cache cannot be written
   */
  public static List<DataConfig.Source> fetch(List<String> languages, Path cacheDir, Consumer<String> notice) {
    return new DemoCorpus(cacheDir.resolve("demo"), notice, System.getenv("PATH")).fetch(languages);
  }

  List<DataConfig.Source> fetch(List<String> languages) {
    for (String language : languages) {
      if (!VOICES.containsKey(language)) {
        throw new DataException(
            "there are no demo recordings for \"" + language + "\"; there are: " + String.join(", ", languages()));
      }
    }
    List<DataConfig.Source> sources = new ArrayList<>();
    try {
      for (String language : languages) {
        Path folder = root.resolve(language);
        if (!isComplete(folder)) {
          synchronized (PROCESS_LOCK) {
            fetchLocked(language, folder);
          }
        }
        Voice voice = VOICES.get(language);
        sources.add(new DataConfig.Source(folder.toString(), voice.speaker, voice.espeakVoice));
      }
    } catch (IOException e) {
      throw CacheFailure.of("the demo recordings cannot be kept", root, e);
    }
    return sources;
  }

  private static boolean isComplete(Path folder) throws IOException {
    Path marker = folder.resolve(COMPLETE);
    return Files.isRegularFile(marker)
        && Files.readString(marker).strip().equals(VERSION)
        && Files.isRegularFile(folder.resolve(METADATA));
  }

  private void fetchLocked(String language, Path folder) throws IOException {
    Files.createDirectories(root);
    try (FileChannel channel =
            FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assert lock.isValid();
      if (isComplete(folder)) {
        return;
      }
      program("apt-get");
      program("dpkg");
      Path work = Files.createTempDirectory(root, "fetch-" + language + "-");
      try {
        download(language, work);
        Path made = build(language, work);
        deleteTree(folder);
        Files.move(made, folder, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        deleteTree(work);
      }
    }
  }

  private static String ownDataHint() {
    return "train on recordings of your own instead: a folder with wavs/ and a metadata.csv of lines \"id|text\","
        + " named with --data DIR:speaker:language or under data.sources in a configuration file";
  }

  /** Full path of a system program, or the sentence that says what to do without it. */
  private String program(String name) {
    for (String folder : searchPath.split(File.pathSeparator)) {
      if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, name))) {
        return Path.of(folder, name).toString();
      }
    }
    throw new DataException(
        "the demo recordings come as Debian packages, and this machine has no " + name + "; " + ownDataHint());
  }

  /** Fetches and unpacks the transcripts and the recordings. */
  private void download(String language, Path work) throws IOException {
    notice.accept("fetching the " + language + " demo recordings (about 12 MB) with apt-get download");
    List<String> command =
        List.of(
            program("apt-get"),
            "-q",
            "-o",
            "Acquire::Retries=3",
            "download",
            PACKAGE + language,
            PACKAGE + language + "-g722");
    Outcome outcome = run(work, command);
    if (outcome.exitCode != 0 && mayUpdate()) {
      notice.accept("the package lists are missing or old; running apt-get update");
      run(work, List.of(program("apt-get"), "-q", "update"));
      outcome = run(work, command);
    }
    if (outcome.exitCode != 0) {
      throw new DataException(
          "apt-get could not download "
              + PACKAGE
              + language
              + "-g722; run \"sudo apt-get update\" and try again, or "
              + ownDataHint()
              + ". It said:\n"
              + outcome.lastLines());
    }
    for (Path archive : list(work, ".deb")) {
      List<String> unpack = List.of(program("dpkg"), "-x", archive.toString(), work.resolve("x").toString());
      Outcome unpacked = run(work, unpack);
      if (unpacked.exitCode != 0) {
        throw new DataException("dpkg could not unpack " + archive.getFileName() + ":\n" + unpacked.lastLines());
      }
    }
  }

  private static boolean mayUpdate() {
    return "root".equals(System.getProperty("user.name"));
  }

  /** Makes the LJSpeech-style folder from the unpacked packages. */
  private Path build(String language, Path work) throws IOException {
    Path documents = work.resolve("x/usr/share/doc/" + PACKAGE + language);
    DemoTranscripts transcripts =
        DemoTranscripts.parse(readLines(documents.resolve("core-sounds-" + language + ".txt.gz")));
    Map<String, Path> recordings = recordings(work.resolve("x/usr/share/asterisk/sounds"));
    Path made = work.resolve("made");
    Path wavs = Files.createDirectories(made.resolve("wavs"));
    Map<String, Integer> leftOut = new TreeMap<>(transcripts.leftOut());
    StringBuilder metadata = new StringBuilder();
    int kept = 0;
    for (Map.Entry<String, String> transcript : new TreeMap<>(transcripts.texts()).entrySet()) {
      String name = transcript.getKey();
      Path recording = recordings.remove(name.toLowerCase(Locale.ROOT));
      if (recording == null) {
        leftOut.merge("no recording", 1, Integer::sum);
      } else if (Files.size(recording) == 0) {
        leftOut.merge("empty recording", 1, Integer::sum);
      } else {
        String id = name.replace('/', '_');
        Files.move(recording, wavs.resolve(id + ".g722"), StandardCopyOption.REPLACE_EXISTING);
        metadata.append(id).append('|').append(transcript.getValue()).append('\n');
        kept++;
      }
    }
    if (kept == 0) {
      throw new DataException("the packages " + PACKAGE + language + " hold no recording with a text");
    }
    Files.writeString(made.resolve(METADATA), metadata);
    writeCredits(language, work, documents, made.resolve("CREDITS"));
    Files.writeString(made.resolve(COMPLETE), VERSION + "\n");
    notice.accept(language + ": " + kept + " demo clips" + (leftOut.isEmpty() ? "" : "; left out: " + leftOut));
    return made;
  }

  /** All recordings by lower-cased name: some transcripts spell a name with other capitals. */
  private static Map<String, Path> recordings(Path sounds) throws IOException {
    Map<String, Path> recordings = new TreeMap<>();
    try (Stream<Path> voices = Files.list(sounds)) {
      for (Path voice : voices.sorted().toList()) {
        try (Stream<Path> files = Files.walk(voice)) {
          for (Path file : files.filter(f -> f.toString().endsWith(".g722")).sorted().toList()) {
            String name = voice.relativize(file).toString().replaceFirst("\\.g722$", "");
            recordings.put(name.toLowerCase(Locale.ROOT), file);
          }
        }
      }
    }
    return recordings;
  }

  private static List<String> readLines(Path gzip) throws IOException {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(new GZIPInputStream(Files.newInputStream(gzip)), StandardCharsets.UTF_8))) {
      return reader.lines().toList();
    }
  }

  private static void writeCredits(String language, Path work, Path documents, Path target) throws IOException {
    StringBuilder credits = new StringBuilder();
    credits.append("Recordings and transcripts: the Debian packages\n");
    for (Path archive : list(work, ".deb")) {
      credits.append("  ").append(archive.getFileName()).append('\n');
    }
    credits.append(
        """
        Changes: the recordings are unaltered; transcripts were cleaned of remarks, and entries without a
        recording or without certain text were left out. The packages' own statement follows.

        """);
    credits.append(Files.readString(documents.resolve("copyright")));
    Files.writeString(target, credits);
  }

  private record Outcome(int exitCode, List<String> output) {
    String lastLines() {
      return String.join("\n", output.subList(Math.max(0, output.size() - 6), output.size())).indent(2).stripTrailing();
    }
  }

  private Outcome run(Path folder, List<String> command) throws IOException {
    Path log = Files.createTempFile(folder, "log", ".txt");
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C");
    builder.redirectOutput(log.toFile());
    Process process = builder.start();
    try {
      process.getOutputStream().close();
      if (!process.waitFor(MINUTES_FOR_DOWNLOAD, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new DataException(String.join(" ", command) + " did not end within " + MINUTES_FOR_DOWNLOAD + " minutes");
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new DataException("interrupted while fetching the demo recordings", e);
    }
    return new Outcome(process.exitValue(), Files.readAllLines(log, Charset.forName("ISO-8859-1")));
  }

  private static List<Path> list(Path folder, String suffix) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    }
  }

  private static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
