package ai.valetts.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What people decided about changes, as files in a run's {@code inbox}: {@code approve-c3} or {@code revert-c3}. Anyone
 * may put one there at any time; the process that trains takes it out, now or when the run goes on.
 */
public final class ChangeInbox {
  private final Path folder;

  /**
   * A decision.
   *
   * @param id of the change
   * @param revert whether it is to be taken back instead of made
   */
  public record Decision(String id, boolean revert) {}

  public ChangeInbox(Path folder) {
    this.folder = folder;
  }

  /** Leaves a decision for the run. */
  public Path put(Decision decision) throws IOException {
    Files.createDirectories(folder);
    Path file = folder.resolve((decision.revert() ? "revert-" : "approve-") + decision.id());
    return Files.exists(file) ? file : Files.createFile(file);
  }

  /** Decisions that the run has not taken out yet. */
  public Set<Decision> waiting() throws IOException {
    return files().stream().map(ChangeInbox::decision).collect(Collectors.toUnmodifiableSet());
  }

  /** Takes the decisions out, oldest names first; a file is gone once {@code take} has dealt with it. */
  void forEach(Consumer<Decision> take) throws IOException {
    for (Path file : files()) {
      take.accept(decision(file));
      Files.deleteIfExists(file);
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(file -> file.getFileName().toString().matches("(approve|revert)-c[0-9]{1,9}")).sorted().toList();
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  private static Decision decision(Path file) {
    String[] words = file.getFileName().toString().split("-");
    return new Decision(words[1], words[0].equals("revert"));
  }
}
