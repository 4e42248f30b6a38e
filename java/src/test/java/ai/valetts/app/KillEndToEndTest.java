package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointStore;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A machine that disappears without a word: the process is killed at random moments, in a step, in a save, while a copy is
 * made, and the same command goes on. {@code valetts.kills} says how often; all fifty belong to the full tests. Three of four
 * kills lie in wait for one of these and strike at a random moment in it, the fourth at any time; where each of them fell is
 * read from what it left on the disk.
 */
@Tag("e2e")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class KillEndToEndTest {
  private static final int STEPS = 12;
  private static final int KILLS = Integer.getInteger("valetts.kills", 8);
  private static final long EARLIEST_MILLIS = 1200;
  private static final long LATEST_MILLIS = 7000;
  private static final int MOST_AWAITED = 3;
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private static Path root;
  /** Of a run that nothing disturbed, by step. */
  private static Map<Long, Double> losses;
  private final Random moments = new Random(20_411);

  /** Where a kill falls. */
  private enum Moment {
    START("before the first step", 0),
    STEP("in a step", 100),
    SAVE("in a save", 15),
    COPY("in a copy", 15);

    private final String words;
    private final int lastsMillis;

    Moment(String words, int lastsMillis) {
      this.words = words;
      this.lastsMillis = lastsMillis;
    }
  }

  @BeforeAll
  static void trainUndisturbed() throws Exception {
    ToySpeech.folder(root.resolve("ana"), 8, 1);
    EndToEnd.Ended whole = EndToEnd.await(start("whole"), log("whole"));
    assertThat(whole.exitCode()).as(whole.output()).isZero();
    losses = losses("whole");
    assertThat(losses).hasSize(STEPS);
  }

  @Test
  void aRunThatIsKilledAgainAndAgainEndsLikeOneThatNeverWas() throws Exception {
    Map<Moment, Integer> fell = new EnumMap<>(Moment.class);
    int kills = 0;
    for (int run = 0; nextAim(kills, fell).isPresent(); run++) {
      assertThat(run).as("runs, most of which ended before they could be killed").isLessThanOrEqualTo(KILLS);
      String name = "killed" + run;
      Optional<Moment> aim = nextAim(kills, fell);
      while (aim.isPresent()) {
        Optional<Moment> killed = startAndKill(name, aim.get());
        if (killed.isEmpty()) {
          break;
        }
        fell.merge(killed.get(), 1, Integer::sum);
        kills++;
        aim = nextAim(kills, fell);
      }
      EndToEnd.Ended end = EndToEnd.await(start(name), log(name));
      assertThat(end.exitCode()).as(end.output()).isZero();
      assertEqualEnd(name);
    }
    System.out.println(kills + " kills: " + fell.entrySet().stream()
        .map(entry -> entry.getValue() + " " + entry.getKey().words).collect(Collectors.joining(", ")));
    assertThat(fell).containsKeys(Moment.STEP, Moment.SAVE, Moment.COPY);
  }

  /** All moments in turn; when that has left one out by bad luck, that one, up to twice as many kills. */
  private static Optional<Moment> nextAim(int kills, Map<Moment, Integer> fell) {
    if (kills < KILLS) {
      return Optional.of(Moment.values()[kills % Moment.values().length]);
    }
    return Stream.of(Moment.STEP, Moment.SAVE, Moment.COPY)
        .filter(moment -> !fell.containsKey(moment) && kills < 2 * KILLS)
        .findFirst();
  }

  /**
   * @param aim what to lie in wait for; START for no matter what
   * @return where the kill fell; empty if the run ended before it
   */
  private Optional<Moment> startAndKill(String name, Moment aim) throws Exception {
    Traces before = Traces.of(root, name);
    Process process = start(name);
    try {
      if (aim == Moment.START) {
        process.waitFor(moments.nextLong(EARLIEST_MILLIS, LATEST_MILLIS), TimeUnit.MILLISECONDS);
      } else {
        lieInWait(process, name, before, aim);
      }
      if (!process.isAlive()) {
        assertThat(process.exitValue()).as(Files.readString(log(name))).isZero();
        return Optional.empty();
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    return Optional.of(Traces.of(root, name).moment(before));
  }

  /** Until a random moment in one of the next such moments, or the end of the process. */
  private void lieInWait(Process process, String name, Traces before, Moment aim) throws Exception {
    int awaited = moments.nextInt(1, MOST_AWAITED + 1);
    Set<String> seen = new HashSet<>();
    while (process.isAlive()) {
      seen.addAll(Traces.of(root, name).since(before, aim));
      if (seen.size() >= awaited && Traces.of(root, name).moment(before) == aim) {
        process.waitFor(moments.nextLong(aim.lastsMillis), TimeUnit.MILLISECONDS);
        if (Traces.of(root, name).moment(before) == aim) {
          return;
        }
      }
      process.waitFor(1, TimeUnit.MILLISECONDS);
    }
  }

  /**
   * What a process has left so far.
   *
   * @param steps of the record
   * @param saves checkpoints that are being written or removed
   * @param copies of which the manifest is missing
   */
  private record Traces(Set<String> steps, Set<String> saves, Set<String> copies) {
    private static final Pattern GENERATION = Pattern.compile("(g\\d+-s\\d+-[0-9a-f]+-[0-9a-f]+)\\..*");

    static Traces of(Path root, String name) throws IOException {
      Path run = root.resolve("runs").resolve(name);
      Set<String> steps = new HashSet<>();
      if (Files.exists(run.resolve("metrics.jsonl"))) {
        int line = 0;
        // Half a line may be there, and half of a character.
        for (String text : Files.readAllLines(run.resolve("metrics.jsonl"), StandardCharsets.ISO_8859_1)) {
          line++;
          if (text.contains("loss/g/total")) {
            steps.add("line " + line);
          }
        }
      }
      Set<String> saves = new HashSet<>();
      for (Path folder : children(run.resolve("checkpoints"))) {
        if (folder.toString().endsWith(".tmp")) {
          // By inode: the next process writes one of the same name.
          inode(folder).ifPresent(saves::add);
        }
      }
      Set<String> copies = new HashSet<>();
      Set<String> whole = new HashSet<>();
      for (Path file : children(root.resolve("copies-" + name).resolve("tiny"))) {
        Matcher generation = GENERATION.matcher(file.getFileName().toString());
        if (generation.matches()) {
          (file.toString().endsWith(".generation.json") ? whole : copies).add(generation.group(1));
        }
      }
      copies.removeAll(whole);
      return new Traces(steps, saves, copies);
    }

    private static List<Path> children(Path folder) throws IOException {
      if (!Files.isDirectory(folder)) {
        return List.of();
      }
      try (Stream<Path> entries = Files.list(folder)) {
        return entries.toList();
      }
    }

    private static Optional<String> inode(Path folder) throws IOException {
      try {
        return Optional.of(folder.getFileName() + " " + Files.getAttribute(folder, "unix:ino"));
      } catch (NoSuchFileException e) {
        return Optional.empty();
      }
    }

    /** What is going on, or was when the process ended. */
    Moment moment(Traces before) {
      return Stream.of(Moment.SAVE, Moment.COPY, Moment.STEP)
          .filter(moment -> !since(before, moment).isEmpty())
          .findFirst()
          .orElse(Moment.START);
    }

    Set<String> since(Traces before, Moment moment) {
      Set<String> made = new HashSet<>(of(moment));
      made.removeAll(before.of(moment));
      return made;
    }

    private Set<String> of(Moment moment) {
      return switch (moment) {
        case STEP -> steps;
        case SAVE -> saves;
        case COPY -> copies;
        case START -> Set.of();
      };
    }
  }

  @Test
  void aSupervisorGoesOnWithWhatItsProcessLeft() throws Exception {
    Traces before = Traces.of(root, "supervised");
    Process supervisor = start("supervised", "--supervise");
    try {
      lieInWait(supervisor, "supervised", before, Moment.STEP);
      List<ProcessHandle> children = supervisor.descendants().toList();
      assertThat(children).as(Files.readString(log("supervised"))).hasSize(1);
      children.get(0).destroyForcibly();
      EndToEnd.Ended end = EndToEnd.await(supervisor, log("supervised"));
      assertThat(end.exitCode()).as(end.output()).isZero();
      assertThat(end.output()).contains("signal 9", "1 of 5");
    } finally {
      supervisor.descendants().forEach(ProcessHandle::destroyForcibly);
      supervisor.destroyForcibly();
    }
    assertEqualEnd("supervised");
  }

  private static void assertEqualEnd(String name) throws IOException {
    assertThat(losses(name)).as("losses of %s", name).isEqualTo(losses);
    Path expected = checkpoint("whole").directory();
    Path actual = checkpoint(name).directory();
    try (Stream<Path> files = Files.list(expected)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".safetensors")).toList()) {
        assertThat(Files.mismatch(file, actual.resolve(file.getFileName()))).as(file.toString()).isEqualTo(-1);
      }
    }
    Path copies = root.resolve("copies-" + name);
    assertThat(copies).as("the copies").isNotEmptyDirectory();
  }

  private static Checkpoint checkpoint(String name) {
    return CheckpointStore.newest(root.resolve("runs").resolve(name).resolve("checkpoints"), text -> {}).orElseThrow();
  }

  /** Generator losses by step, of the run's own record: the last word on each step counts. */
  private static Map<Long, Double> losses(String name) throws IOException {
    Map<Long, Double> losses = new TreeMap<>();
    for (String line : Files.readAllLines(root.resolve("runs").resolve(name).resolve("metrics.jsonl"))) {
      JsonNode event;
      try {
        event = JSON.readTree(line);
      } catch (IOException e) {
        // The line that was being written when the process was killed.
        continue;
      }
      JsonNode loss = event.path("scalars").path("loss/g/total");
      if (loss.isNumber() && event.path("step").isNumber()) {
        losses.put(event.path("step").asLong(), loss.asDouble());
      }
    }
    return losses;
  }

  private static Path log(String name) {
    return root.resolve(name + ".log");
  }

  private static Process start(String name, String... more) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(
        "train", "--config", "tiny", "--data", root.resolve("ana") + ":ana:en-us", "--steps", "" + STEPS,
        "--run", root.resolve("runs").resolve(name).toString(),
        "--set", "text.frontEnd=characters",
        "--set", "training.threads=1",
        "--set", "checkpoint.everySteps=1",
        "--set", "checkpoint.keep=2",
        "--set", "validation.everySteps=1000",
        "--set", "validation.sentences=[]",
        "--set", "monitor.logEverySteps=1",
        "--set", "monitor.tensorboard=false",
        "--set", "storage.settleSeconds=0.1",
        "--drive", root.resolve("copies-" + name).toString()));
    arguments.addAll(List.of(more));
    return EndToEnd.startValetts(root, log(name), arguments.toArray(String[]::new));
  }
}
