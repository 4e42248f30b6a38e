package ai.valetts.app;

import ai.valetts.data.DataException;
import ai.valetts.engine.Engine;
import ai.valetts.engine.ParityCheck;
import ai.valetts.engine.ParityRow;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Runs every recorded set of a folder through the core. */
final class Parity {
  private static final String ENDING = ".safetensors";
  private static final Pattern KNOWN = Pattern.compile("stft|encoder|flows|spline|mas|durdisc|fullsize_.+|step_.+");

  private final Engine engine;
  private final Consumer<String> notice;

  Parity(Engine engine, Consumer<String> notice) {
    this.engine = engine;
    this.notice = notice;
  }

  /**
   * @throws DataException if the folder holds no recordings
   */
  ParityResult run(ParityRequest request) {
    List<String> known = new ArrayList<>();
    List<String> unknown = new ArrayList<>();
    for (String set : sets(request.fixtures())) {
      (KNOWN.matcher(set).matches() ? known : unknown).add(set);
    }
    if (known.isEmpty()) {
      throw new DataException(
          request.fixtures() + " holds no recordings of the public reference (step_*.safetensors and the like, see docs/parity.md).");
    }
    List<ParityResult.Row> rows = new ArrayList<>();
    Map<String, Integer> left = new TreeMap<>();
    for (String set : known) {
      List<ParityResult.Row> compared = new ArrayList<>();
      for (ParityRow row :
          engine.checkParity(
              new ParityCheck(
                  request.fixtures(), set, request.device(), request.precision(), request.plainPath(), request.threads()))) {
        if (row.kind() == ParityRow.Kind.NOT_COMPARED) {
          left.merge(set + ": " + row.tensor().replaceAll("/.*", ""), 1, Integer::sum);
        } else {
          String measure = row.kind().name().toLowerCase(Locale.ROOT);
          compared.add(new ParityResult.Row(set, row.tensor(), measure, row.error(), row.limit(), row.passed()));
        }
      }
      notice.accept(summary(set, compared));
      rows.addAll(compared);
    }
    List<String> notCompared = new ArrayList<>();
    left.forEach((part, count) -> notCompared.add(part + " (" + count + (count == 1 ? " tensor)" : " tensors)")));
    unknown.forEach(set -> notCompared.add(set + ".safetensors, there is no check for it"));
    return new ParityResult(rows, notCompared);
  }

  private static String summary(String set, List<ParityResult.Row> rows) {
    long broken = rows.stream().filter(row -> !row.passed()).count();
    return String.format(
        Locale.ROOT,
        "%-18s %6d tensors compared, %s",
        set,
        rows.size(),
        broken == 0 ? "all within limits" : broken + " BROKEN");
  }

  private static List<String> sets(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new DataException("There is no folder " + folder + ".");
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(ENDING))
          .map(name -> name.substring(0, name.length() - ENDING.length()))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
