package ai.valetts.interchange;

import ai.valetts.checkpoint.Checkpoint;
import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.config.ModelConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.text.SymbolTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Fits the weights of one of our voices to the networks of a new run: speakers move by name, symbols by symbol, what is
 * new gets a row of its own, everything else must have the same shape.
 */
public final class WeightTransfer implements AutoCloseable {
  private static final String GENERATOR = "generator.safetensors";
  private static final String DISCRIMINATOR = "discriminator.safetensors";
  private static final String DURATION_DISCRIMINATOR = "duration_discriminator.safetensors";

  private final List<TensorFile> open = new ArrayList<>();
  private final Map<String, WeightMatch> networks = new LinkedHashMap<>();
  private final List<ReportLine> report = new ArrayList<>();

  /**
   * A voice or a run: its configuration and what its rows stand for.
   *
   * @param vocabularySize rows of the text embedding
   * @param speakerCount rows of the speaker embedding; 1 for none
   * @param speakers names in the order of their rows; there may be fewer than rows
   */
  public record Side(
      ValettsConfig config, SymbolTable symbols, List<String> speakers, int vocabularySize, int speakerCount) {}

  private WeightTransfer() {}

  /**
   * @param folder checkpoint with the weights, of which the running mean is taken where it has one; discriminators are taken if they are there and fit
   * @param from what they belong to
   * @param to what they are for
   * @param partial take what fits and leave the rest to initial values
   * @throws CheckpointException naming the tensors that do not fit, unless {@code partial}
   */
  public static WeightTransfer open(Path folder, Side from, Side to, boolean partial) {
    WeightTransfer transfer = new WeightTransfer();
    try {
      transfer.match(folder, from, to, partial);
      return transfer;
    } catch (RuntimeException e) {
      transfer.close();
      throw e;
    }
  }

  private void match(Path folder, Side from, Side to, boolean partial) {
    Map<String, RowMap> rowMaps = new LinkedHashMap<>();
    rowMaps.put("enc_p.emb.weight", symbolRows(from, to));
    if (from.speakerCount > 1 && to.speakerCount > 1) {
      rowMaps.put("emb_g.weight", speakerRows(from, to));
    }
    ModelConfig model = to.config.model().sized(to.vocabularySize, to.speakerCount);
    Path weights = Checkpoint.voiceWeights(folder);
    TensorFile generator = add(weights);
    WeightMatch match =
        new WeightMatch(
            weights.toString(),
            ReferenceLayout.generator(model, bins(to.config)),
            generator.tensors(),
            rowMaps,
            false);
    if (!partial) {
      match.refuseProblems();
    }
    networks.put(GENERATOR, match);
    report.addAll(match.report());
    discriminator(folder, DISCRIMINATOR, ReferenceLayout.discriminator(model.discriminatorWidthDivisor()));
    if (!model.durationDiscriminator().equals("none")) {
      discriminator(
          folder,
          DURATION_DISCRIMINATOR,
          ReferenceLayout.durationDiscriminator(model.durationDiscriminator(), model.hiddenChannels()));
    }
  }

  /** Discriminators that are missing or of another size start fresh, as they do in any run. */
  private void discriminator(Path folder, String name, List<ReferenceLayout.Key> keys) {
    String part = name.replace(".safetensors", "").replace('_', ' ');
    if (!Files.isRegularFile(folder.resolve(name))) {
      report.add(new ReportLine(ReportLine.INITIALISED, part, keys.size(), numbers(keys), "not part of the voice"));
      return;
    }
    TensorFile file = add(folder.resolve(name));
    WeightMatch match = new WeightMatch(folder.resolve(name).toString(), keys, file.tensors(), Map.of(), false);
    boolean whole = match.report().stream().allMatch(line -> line.outcome().equals(ReportLine.LOADED));
    if (whole) {
      networks.put(name, match);
      match.report().forEach(line -> report.add(
          new ReportLine(line.outcome(), part, line.tensors(), line.numbers(), line.reason())));
    } else {
      report.add(new ReportLine(ReportLine.INITIALISED, part, keys.size(), numbers(keys), "of another kind or size"));
    }
  }

  private static long numbers(List<ReferenceLayout.Key> keys) {
    return keys.stream().mapToLong(key -> Arrays.stream(key.shape()).reduce(1, (a, b) -> a * b)).sum();
  }

  private static RowMap symbolRows(Side from, Side to) {
    List<String> old = from.symbols.symbols();
    List<String> wanted = to.symbols.symbols();
    int[] rows = new int[to.vocabularySize];
    List<String> made = new ArrayList<>();
    for (int row = 0; row < rows.length; row++) {
      boolean named = row < wanted.size();
      // Rows beyond the symbols are never read; those of equal number stay what they are.
      rows[row] = named ? old.indexOf(wanted.get(row)) : row >= old.size() && row < from.vocabularySize ? row : -1;
      if (named && rows[row] < 0) {
        made.add(wanted.get(row));
      }
    }
    String reason = made.isEmpty()
        ? "rows by symbol"
        : "rows by symbol; drawn for the new " + String.join(" ", made.subList(0, Math.min(40, made.size())))
            + (made.size() > 40 ? " and " + (made.size() - 40) + " more" : "");
    return new RowMap(rows, false, to.config.training().seed(), reason);
  }

  private static RowMap speakerRows(Side from, Side to) {
    int[] rows = new int[to.speakerCount];
    List<String> made = new ArrayList<>();
    for (int row = 0; row < rows.length; row++) {
      rows[row] = row < to.speakers.size() ? from.speakers.indexOf(to.speakers.get(row)) : -1;
      if (rows[row] < 0 && row < to.speakers.size()) {
        made.add(to.speakers.get(row));
      }
    }
    List<String> left = from.speakers.stream().filter(name -> !to.speakers.contains(name)).toList();
    String reason = "rows by speaker"
        + (made.isEmpty() ? "" : "; the mean of all for the new " + names(made))
        + (left.isEmpty() ? "" : "; without " + names(left));
    return new RowMap(rows, true, 0, reason);
  }

  private static String names(List<String> names) {
    return names.size() <= 8 ? String.join(", ", names) : String.join(", ", names.subList(0, 8)) + " and "
        + (names.size() - 8) + " more";
  }

  /** Channels of the posterior encoder's input. */
  static int bins(ValettsConfig config) {
    return config.model().posteriorInput().equals("mel") ? config.audio().melBins() : config.audio().fftSize() / 2 + 1;
  }

  private TensorFile add(Path path) {
    TensorFile file = TensorFile.open(path);
    open.add(file);
    return file;
  }

  /** What becomes of all tensors. */
  public List<ReportLine> report() {
    return List.copyOf(report);
  }

  /** Whether {@link #write} needs initial values for what the voice lacks. */
  public boolean isIncomplete() {
    return networks.values().stream().anyMatch(WeightMatch::isIncomplete);
  }

  /**
   * Writes the fitted weights, one tensor at a time.
   *
   * @param initial folder with freshly initialised networks, if {@link #isIncomplete}; else null
   */
  public void write(Path folder, Path initial) throws IOException {
    for (Map.Entry<String, WeightMatch> network : networks.entrySet()) {
      write(folder.resolve(network.getKey()), network.getValue(), initial);
    }
  }

  static void write(Path file, WeightMatch match, Path initial) throws IOException {
    if (!match.isIncomplete()) {
      SafetensorsWriter.write(file, match.items(Map.of()), Map.of());
      return;
    }
    try (TensorFile fresh = TensorFile.open(initial.resolve(file.getFileName()))) {
      SafetensorsWriter.write(file, match.items(fresh.tensors()), Map.of());
    }
  }

  @Override
  public void close() {
    open.forEach(TensorFile::close);
  }
}
