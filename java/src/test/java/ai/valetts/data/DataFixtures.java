package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.audio.WavFixtures;
import ai.valetts.config.AudioConfig;
import ai.valetts.config.DataConfig;
import ai.valetts.config.TextConfig;
import ai.valetts.data.corpus.Corpus;
import ai.valetts.data.corpus.CorpusReader;
import ai.valetts.text.SymbolTable;
import ai.valetts.text.TextFrontEnd;
import ai.valetts.text.TextFrontEnds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Small data folders of tones, and configurations that fit them. */
final class DataFixtures {
  static final AudioConfig AUDIO = new AudioConfig(16000, 1024, 256, 1024, 80, 0f, 0f);
  static final TextConfig TEXT = new TextConfig("characters", "en-us", false, 100);

  private DataFixtures() {}

  static DataConfig config(double maxBad, int validationClips, DataConfig.Source... sources) {
    return new DataConfig(
        List.of(sources), 4, null, List.of(40, 80, 120), 0.1, 5.0, null, null, null, null, validationClips, maxBad, 2, 3);
  }

  static DataConfig.Source source(Path folder, String speaker) {
    return new DataConfig.Source(folder.toString(), speaker, null);
  }

  /** A folder of {@code count} good clips, half a second and more, named {@code a0}, {@code a1}, ... */
  static Path folder(Path folder, int count) throws IOException {
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tone(folder, "a" + i, 0.5 + 0.05 * (i % 20));
      rows.add("a" + i + "|some words " + "x".repeat(i % 5));
    }
    metadata(folder, rows.toArray(new String[0]));
    return folder;
  }

  static Path tone(Path folder, String name, double seconds) throws IOException {
    return WavFixtures.writeTone(folder.resolve("wavs/" + name + ".wav"), 200 + name.hashCode() % 97, seconds, 16000);
  }

  static void metadata(Path folder, String... rows) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("metadata.csv"), String.join("\n", rows) + "\n");
  }

  /** Prepares data that a run would start with. */
  static PreparedData prepare(DataConfig config, Path cache, Consumer<String> notice) {
    return survey(config, cache, notice).usable();
  }

  /** Prepares data, whatever comes of it. */
  static PreparedData survey(DataConfig config, Path cache, Consumer<String> notice) {
    return survey(config, TEXT, null, cache, notice);
  }

  static PreparedData survey(
      DataConfig config, TextConfig text, SymbolTable saved, Path cache, Consumer<String> notice) {
    List<Corpus> corpora = CorpusReader.read(config.sources(), cache, 2, notice);
    PreparationProgress progress = progress(notice);
    try (TextFrontEnd frontEnd =
        saved != null
            ? TextFrontEnds.open(text, saved)
            : TextFrontEnds.open(text, () -> DatasetPreparation.texts(corpora, text), notice)) {
      return DatasetPreparation.prepare(corpora, config, text, AUDIO, frontEnd, cache, progress);
    }
  }

  static PreparationProgress progress(Consumer<String> notice) {
    return new PreparationProgress() {
      @Override
      public void notice(String text) {
        notice.accept(text);
      }

      @Override
      public void step(String what, long done, long total) {
        assertThat(done).isBetween(1L, total);
      }
    };
  }

  /** A clip that exists in memory alone. */
  static Clip clip(int number, int frames, int tokens) {
    int[] ids = new int[tokens];
    for (int i = 0; i < tokens; i++) {
      ids[i] = 1 + (number + i) % 7;
    }
    String name = "c" + number;
    Path nowhere = Path.of(name);
    int samples = frames * 256 + 9;
    return new Clip(1000L + number, name, nowhere, nowhere, number, "x", "en-us", "s", number % 3, ids, samples);
  }
}
