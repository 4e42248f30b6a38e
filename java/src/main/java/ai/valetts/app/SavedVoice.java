package ai.valetts.app;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.checkpoint.CheckpointStore;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.Speakers;
import ai.valetts.text.SymbolTable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A verified checkpoint with what is needed to use it.
 *
 * @param run the run it belongs to, if it still lies inside one
 */
record SavedVoice(
    Checkpoint checkpoint, ValettsConfig config, SymbolTable symbols, Speakers speakers, Optional<RunDirectory> run) {
  static final String CONFIG = "config.yaml";
  static final String SYMBOLS = "symbols.json";
  static final String SPEAKERS = "speakers.json";
  static final String GENERATOR = "generator.safetensors";

  /**
   * @param folder a run, whose newest sound checkpoint is taken, or a checkpoint
   * @throws CheckpointException if it is neither, or holds nothing sound
   */
  static SavedVoice open(Path folder, Consumer<String> notice) {
    Path absolute = folder.toAbsolutePath().normalize();
    if (!Files.isDirectory(absolute)) {
      throw new CheckpointException("There is no run or checkpoint " + folder + ".");
    }
    RunDirectory run = new RunDirectory(absolute);
    if (Files.isDirectory(run.checkpoints())) {
      return of(newest(run, notice), Optional.of(run));
    }
    Path grandparent = absolute.getParent() == null ? null : absolute.getParent().getParent();
    boolean insideRun = grandparent != null && new RunDirectory(grandparent).checkpoints().equals(absolute.getParent());
    return of(
        CheckpointStore.open(absolute), insideRun ? Optional.of(new RunDirectory(grandparent)) : Optional.empty());
  }

  /** Whether a folder is a checkpoint, sound or not, rather than a run. */
  static boolean isCheckpoint(Path folder) {
    return Files.isRegularFile(folder.resolve("manifest.json"));
  }

  /** The newest sound checkpoint of a run. */
  static Checkpoint newest(RunDirectory run, Consumer<String> notice) {
    return CheckpointStore.newest(run.checkpoints(), notice)
        .orElseThrow(() -> new CheckpointException(
            CheckpointStore.anyIn(run.checkpoints())
                ? "No checkpoint of " + run.root() + " is whole, so there is nothing to go on from, and the run is not"
                    + " started over: " + String.join(" ", CheckpointStore.problems(run.checkpoints()))
                    + " Restore one from a copy (resume --from-drive), or start anew under another name."
                : "The run " + run.root() + " has no checkpoint yet: train it first."));
  }

  private static SavedVoice of(Checkpoint checkpoint, Optional<RunDirectory> run) {
    try {
      return new SavedVoice(
          checkpoint,
          ConfigLoader.load(checkpoint.file(CONFIG), List.of()),
          SymbolTable.read(checkpoint.file(SYMBOLS)),
          Speakers.read(checkpoint.file(SPEAKERS)),
          run);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The small files that make a checkpoint usable by itself. */
  static Map<String, byte[]> companions(String configText, SymbolTable symbols, Speakers speakers) {
    try {
      Path folder = Files.createTempDirectory("valetts");
      try {
        Path symbolFile = folder.resolve(SYMBOLS);
        Path speakerFile = folder.resolve(SPEAKERS);
        symbols.write(symbolFile);
        speakers.write(speakerFile);
        return Map.of(
            CONFIG, configText.getBytes(StandardCharsets.UTF_8),
            SYMBOLS, Files.readAllBytes(symbolFile),
            SPEAKERS, Files.readAllBytes(speakerFile));
      } finally {
        Files.deleteIfExists(folder.resolve(SYMBOLS));
        Files.deleteIfExists(folder.resolve(SPEAKERS));
        Files.deleteIfExists(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
