package ai.valetts.data.corpus;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * VCTK: a text file for each recording under {@code txt/SPEAKER/}, the recordings under {@code
 * wav48_silence_trimmed/SPEAKER/} with one file for each microphone (0.92), or under {@code wav48/SPEAKER/} (older). The
 * first microphone is taken where there are two.
 */
final class Vctk {
  /** Newest layout first. */
  private static final List<String> AUDIO_FOLDERS = List.of("wav48_silence_trimmed", "wav48");

  private static final List<String> MICROPHONES = List.of("_mic1", "_mic2", "");

  private Vctk() {}

  static boolean isIn(Path folder) {
    return Files.isDirectory(folder.resolve("txt"))
        && AUDIO_FOLDERS.stream().anyMatch(audio -> Files.isDirectory(folder.resolve(audio)));
  }

  /** What a speaker's two folders hold, by the name of the utterance. */
  private record Utterances(String speaker, Map<String, Path> texts, Map<String, Path> recordings) {}

  static List<CorpusRow> rows(Path folder, int threads) {
    Path audio =
        AUDIO_FOLDERS.stream().map(folder::resolve).filter(Files::isDirectory).findFirst().orElseThrow();
    Set<String> speakers = new HashSet<>(folders(folder.resolve("txt")));
    speakers.addAll(folders(audio));
    ExecutorService pool =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, "valetts-scan");
              thread.setDaemon(true);
              return thread;
            });
    try {
      List<Future<List<CorpusRow>>> pending = new ArrayList<>();
      for (String speaker : speakers.stream().sorted().toList()) {
        pending.add(
            pool.submit(
                () ->
                    rows(
                        new Utterances(
                            speaker,
                            texts(folder.resolve("txt").resolve(speaker)),
                            recordings(audio.resolve(speaker))))));
      }
      List<CorpusRow> rows = new ArrayList<>();
      for (Future<List<CorpusRow>> some : pending) {
        rows.addAll(some.get());
      }
      return rows;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CorpusException("interrupted while reading " + folder, e);
    } finally {
      pool.shutdownNow();
    }
  }

  private static List<CorpusRow> rows(Utterances utterances) {
    List<CorpusRow> rows = new ArrayList<>();
    utterances.texts.forEach(
        (name, textFile) -> {
          Path recording = utterances.recordings.get(name);
          MetadataText metadata = MetadataText.read(textFile);
          List<Finding> findings = new ArrayList<>();
          metadata.lines().forEach(line -> findings.addAll(line.findings()));
          String text = String.join(" ", metadata.lines().stream().map(MetadataText.Line::text).toList()).strip();
          RowMaker.checkText(text, findings);
          if (recording == null) {
            findings.add(new Finding(Finding.Kind.MISSING_AUDIO, "there is no recording of " + name));
          }
          rows.add(new CorpusRow(textFile, 1, name, recording, text, utterances.speaker, null, 0, findings));
        });
    utterances.recordings.forEach(
        (name, recording) -> {
          if (!utterances.texts.containsKey(name)) {
            Finding finding = new Finding(Finding.Kind.NO_TRANSCRIPT, "there is no text for this recording");
            rows.add(new CorpusRow(recording, 1, name, null, "", utterances.speaker, null, 0, List.of(finding)));
          }
        });
    return rows;
  }

  private static Map<String, Path> texts(Path folder) {
    Map<String, Path> texts = new TreeMap<>();
    for (Path file : files(folder)) {
      String name = file.getFileName().toString();
      if (name.endsWith(".txt")) {
        texts.put(name.substring(0, name.length() - 4), file);
      }
    }
    return texts;
  }

  private static Map<String, Path> recordings(Path folder) {
    Map<String, Path> all = new HashMap<>();
    for (Path file : files(folder)) {
      String name = file.getFileName().toString();
      if (name.matches(".*\\.(flac|wav|FLAC|WAV)")) {
        all.put(HeaderTable.withoutExtension(name), file);
      }
    }
    Map<String, Path> recordings = new TreeMap<>();
    for (String microphone : MICROPHONES) {
      all.forEach(
          (name, file) -> {
            if (name.endsWith(microphone) && (!microphone.isEmpty() || !name.matches(".*_mic[12]"))) {
              recordings.putIfAbsent(name.substring(0, name.length() - microphone.length()), file);
            }
          });
    }
    return recordings;
  }

  private static List<Path> files(Path folder) {
    return list(folder).stream().filter(Files::isRegularFile).map(file -> file.toAbsolutePath().normalize()).toList();
  }

  private static List<String> folders(Path folder) {
    return list(folder).stream().filter(Files::isDirectory).map(inner -> inner.getFileName().toString()).toList();
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
