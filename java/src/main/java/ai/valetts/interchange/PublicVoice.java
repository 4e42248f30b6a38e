package ai.valetts.interchange;

import ai.valetts.checkpoint.CheckpointException;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.ModelConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.text.Reading;
import ai.valetts.text.SymbolTable;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * A voice that another program trained, matched to our networks: p0p4k's VITS2, VITS, Piper, or the same names in a
 * safetensors file. Its files stay open until it is closed; nothing in them is run.
 */
public final class PublicVoice implements AutoCloseable {
  private static final int DISCRIMINATOR_WIDTH = 1024;

  private final List<TensorFile> open = new ArrayList<>();
  private final Map<String, WeightMatch> networks = new LinkedHashMap<>();
  private final List<ReportLine> report = new ArrayList<>();
  private final List<String> remarks = new ArrayList<>();
  private ValettsConfig config;
  private SymbolTable symbols;
  private List<String> speakers;

  /**
   * The files of a voice; all but the first may be null.
   *
   * @param generator {@code G_*.pth}, {@code .ckpt} or safetensors; discriminators inside it are taken too
   * @param discriminator {@code D_*.pth}
   * @param durationDiscriminator {@code DUR_*.pth}
   * @param config {@code config.json}; null takes the one that lies beside the generator
   * @param symbols JSON list of symbols in the order of their ids
   * @param speakers JSON list of names in the order of their ids, or ids by name
   */
  public record Sources(
      Path generator, Path discriminator, Path durationDiscriminator, Path config, Path symbols, Path speakers) {}

  /**
   * What the user decides.
   *
   * @param name of the voice, for its configuration
   * @param reading how text is read, instead of what the settings say; or null
   * @param language espeak-ng voice instead of the settings'; or null
   * @param addedSpeakers names for new rows of the speaker embedding
   * @param partial take what fits and leave the rest to initial values
   * @param overrides of single keys of the configuration
   */
  public record Choices(
      String name,
      String reading,
      String language,
      List<String> addedSpeakers,
      boolean partial,
      List<ConfigOverride> overrides) {}

  private PublicVoice() {}

  /**
   * @throws CheckpointException in one sentence: a file that is damaged, of another model, or asks for code to be run;
   *     a reading that cannot be reproduced
   * @throws ai.valetts.config.ConfigException if what the files say makes no sound configuration
   */
  public static PublicVoice open(Sources files, Choices choices) {
    PublicVoice voice = new PublicVoice();
    try {
      voice.read(files, choices);
      return voice;
    } catch (RuntimeException e) {
      voice.close();
      throw e;
    }
  }

  private void read(Sources files, Choices choices) {
    String origin = files.generator.toString();
    TensorFile generatorFile = add(files.generator);
    Map<String, StoredTensor> all = ReferenceNames.of(generatorFile.tensors());
    boolean lightning = ReferenceNames.isLightning(all);
    Map<String, StoredTensor> generator = lightning ? ReferenceNames.part(all, "model_g.") : all;
    Path configFile = files.config != null ? files.config : configBeside(files.generator);
    PublicConfig settings = PublicConfig.read(configFile, generatorFile.settings());
    remarks.add(configFile == null ? "there is no config.json beside it" : "settings from " + configFile);

    Architecture architecture = new Architecture(origin, generator, settings);
    architecture.assumptions().forEach(assumption -> remarks.add("assumed: " + assumption));
    Map<String, StoredTensor> discriminator = lightning ? ReferenceNames.part(all, "model_d.") : Map.of();
    if (files.discriminator != null) {
      discriminator = ReferenceNames.of(add(files.discriminator).tensors());
    }
    Map<String, StoredTensor> durations =
        files.durationDiscriminator == null
            ? Map.of()
            : ReferenceNames.of(add(files.durationDiscriminator).tensors());
    describe(architecture, settings, lightning, generator, discriminator, durations, files, choices);
    skipOthers(all, lightning);
    matchGenerator(origin, architecture, generator, settings, files, choices);
    if (!discriminator.isEmpty()) {
      match(
          "discriminator.safetensors",
          files.discriminator == null ? origin : files.discriminator.toString(),
          ReferenceLayout.discriminator(config.model().discriminatorWidthDivisor()),
          discriminator,
          choices.partial);
    }
    if (!durations.isEmpty()) {
      match(
          "duration_discriminator.safetensors",
          files.durationDiscriminator.toString(),
          ReferenceLayout.durationDiscriminator(
              config.model().durationDiscriminator(), config.model().hiddenChannels()),
          durations,
          choices.partial);
    }
  }

  private TensorFile add(Path path) {
    TensorFile file = TensorFile.open(path);
    open.add(file);
    return file;
  }

  /** {@code x.ckpt.json}, {@code x.json}, {@code x.config.json} or {@code config.json}; null if there is none. */
  private static Path configBeside(Path generator) {
    String name = generator.getFileName().toString();
    String stem = name.contains(".") ? name.substring(0, name.lastIndexOf('.')) : name;
    for (String candidate : List.of(name + ".json", stem + ".json", stem + ".config.json", "config.json")) {
      Path path = generator.resolveSibling(candidate);
      if (Files.isRegularFile(path)) {
        return path;
      }
    }
    return null;
  }

  private void describe(
      Architecture architecture,
      PublicConfig settings,
      boolean lightning,
      Map<String, StoredTensor> generator,
      Map<String, StoredTensor> discriminator,
      Map<String, StoredTensor> durations,
      Sources files,
      Choices choices) {
    String origin = files.generator.toString();
    if (settings.text("valetts.config").isPresent() && choices.reading == null && files.symbols == null) {
      config = ConfigLoader.parse(origin, settings.text("valetts.config").get(), choices.overrides);
      symbols = ownTable(settings.at("valetts.symbols"), origin);
      return;
    }
    boolean piper = lightning || settings.has("phoneme_id_map");
    Reading reading = SymbolSource.reading(origin, settings, piper, choices.reading);
    symbols = SymbolSource.table(origin, settings, reading, architecture.vocabularySize(), files.symbols);
    List<ConfigOverride> overrides = new ArrayList<>(architecture.overrides());
    VoiceSettings.add(
        overrides, settings, reading, choices.language, width(discriminator), durationKind(durations, settings), origin);
    overrides.add(ConfigOverride.text("name", choices.name, "the name of the voice"));
    overrides.addAll(choices.overrides);
    config = ConfigLoader.bundled("base", overrides);
    remarks.add("text is read by " + reading.text() + ", " + config.text().language()
        + (config.text().addBlank() ? ", with" : ", without") + " blanks between the symbols");
  }

  /** The table that our own export keeps. */
  private static SymbolTable ownTable(JsonNode node, String origin) {
    try {
      Path file = Files.createTempFile("valetts", ".json");
      try {
        Files.writeString(file, node.toString());
        return SymbolTable.read(file);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(origin, e);
    }
  }

  private static int width(Map<String, StoredTensor> discriminator) {
    StoredTensor widest = discriminator.get("discriminators.0.convs.5.weight_v");
    return widest == null || widest.size(0) == 0 ? 1 : (int) Math.max(1, DISCRIMINATOR_WIDTH / widest.size(0));
  }

  private static String durationKind(Map<String, StoredTensor> durations, PublicConfig settings) {
    if (!durations.isEmpty()) {
      return durations.containsKey("norm_1.gamma") ? "v2" : "v1";
    }
    return settings.flag("model.use_duration_discriminator").orElse(false) ? "v2" : "none";
  }

  private void skipOthers(Map<String, StoredTensor> all, boolean lightning) {
    if (!lightning) {
      return;
    }
    Map<String, long[]> others = new LinkedHashMap<>();
    all.forEach((name, tensor) -> {
      if (!name.startsWith("model_g.") && !name.startsWith("model_d.")) {
        long[] sums = others.computeIfAbsent(name.replaceFirst("\\..*", ""), part -> new long[2]);
        sums[0]++;
        sums[1] += tensor.count();
      }
    });
    others.forEach((part, sums) -> report.add(new ReportLine(
        ReportLine.SKIPPED, part, (int) sums[0], sums[1],
        part.equals("model_mrd") ? "a discriminator that VITS2 does not have" : "no network of this family")));
  }

  private void matchGenerator(
      String origin,
      Architecture architecture,
      Map<String, StoredTensor> generator,
      PublicConfig settings,
      Sources files,
      Choices choices) {
    int rows = architecture.speakerCount();
    List<String> known = SymbolSource.speakers(settings, rows, files.speakers);
    if (rows == 1 && !choices.addedSpeakers.isEmpty()) {
      throw new CheckpointException(origin + " is a voice of one speaker, with no place for "
          + String.join(", ", choices.addedSpeakers) + ": train a run of several speakers with --init-from and --partial,"
          + " which starts the speakers' layers fresh.");
    }
    List<String> names = new ArrayList<>(known);
    names.addAll(choices.addedSpeakers);
    speakers = List.copyOf(new TreeSet<>(names));
    if (speakers.size() < names.size()) {
      throw new CheckpointException("The voice has a speaker of that name already: "
          + String.join(", ", choices.addedSpeakers) + "; it has " + String.join(", ", known) + ".");
    }
    Map<String, RowMap> rowMaps = new LinkedHashMap<>();
    if (rows > 1) {
      int[] sources = speakers.stream().mapToInt(known::indexOf).toArray();
      String reason = choices.addedSpeakers.isEmpty()
          ? "rows in the order of the speakers' names"
          : "new rows, the mean of the others, for " + String.join(", ", choices.addedSpeakers);
      rowMaps.put("emb_g.weight", new RowMap(sources, true, 0, reason));
    }
    ModelConfig model = config.model().sized(symbols.size(), speakers.size());
    WeightMatch match =
        new WeightMatch(
            origin,
            ReferenceLayout.generator(model, architecture.spectrogramBins()),
            generator,
            rowMaps,
            speakers.size() == 1);
    take("generator.safetensors", match, choices.partial);
  }

  private void match(
      String file,
      String origin,
      List<ReferenceLayout.Key> keys,
      Map<String, StoredTensor> found,
      boolean partial) {
    take(file, new WeightMatch(origin, keys, found, Map.of(), false), partial);
  }

  private void take(String file, WeightMatch match, boolean partial) {
    if (!partial) {
      match.refuseProblems();
    }
    networks.put(file, match);
    report.addAll(match.report());
  }

  /** The whole configuration: networks and signal as the weights demand, the rest as the settings say or published. */
  public ValettsConfig config() {
    return config;
  }

  public SymbolTable symbols() {
    return symbols;
  }

  /** Names in order of their ids, which is the order of the names. */
  public List<String> speakers() {
    return speakers;
  }

  /** What became of all tensors. */
  public List<ReportLine> report() {
    return List.copyOf(report);
  }

  /** Where the settings come from, what was assumed and how text is read; one phrase each. */
  public List<String> remarks() {
    return List.copyOf(remarks);
  }

  /** Whether {@link #write} needs initial values for what the files lack. */
  public boolean isIncomplete() {
    return networks.values().stream().anyMatch(WeightMatch::isIncomplete);
  }

  /**
   * Writes the networks' weights, one tensor at a time.
   *
   * @param folder existing
   * @param initial folder with freshly initialised networks, if {@link #isIncomplete}; else null
   */
  public void write(Path folder, Path initial) throws IOException {
    for (Map.Entry<String, WeightMatch> network : networks.entrySet()) {
      WeightTransfer.write(folder.resolve(network.getKey()), network.getValue(), initial);
    }
  }

  @Override
  public void close() {
    open.forEach(TensorFile::close);
  }
}
