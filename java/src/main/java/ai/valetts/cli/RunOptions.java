package ai.valetts.cli;

import ai.valetts.app.ValeTts;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.DataConfig;
import ai.valetts.config.ValettsConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** The options that several commands share, and how they become overrides of a configuration. */
final class RunOptions {
  /** Languages of the demo recordings. */

  private RunOptions() {}

  static Option value(String name, String argument, String description) {
    return Option.builder().longOpt(name).hasArg().argName(argument).desc(description).get();
  }

  static Option flag(String name, String description) {
    return Option.builder().longOpt(name).desc(description).get();
  }

  /** Which configuration, which recordings. */
  static void addSources(Options options) {
    options.addOption(
        value("config", "FILE", "configuration: a YAML file, or one of " + String.join(", ", ConfigLoader.BUNDLED)));
    options.addOption(flag("demo", "the demo configuration; without --data also the demo recordings"));
    options.addOption(
        value("languages", "LIST", "languages of the demo recordings, of " + String.join(", ", ValeTts.demoLanguages()) + "; en where none is named; e.g. en,es"));
    options.addOption(
        value(
            "data",
            "DIR[:SPEAKER[:LANGUAGE]]",
            "folder or archive with recordings and their texts; repeat it for more; DIR::LANGUAGE names no speaker"));
    options.addOption(value("max-bad", "SHARE", "unusable rows a run puts up with, e.g. 1%"));
  }

  /** How long. */
  static void addBudget(Options options) {
    options.addOption(value("minutes", "N", "stop after N minutes of training, all resumes counted"));
    options.addOption(value("steps", "N", "stop after N steps"));
    options.addOption(value("epochs", "N", "stop after N passes over the recordings"));
  }

  /** On what. */
  static void addMachine(Options options) {
    options.addOption(value("device", "D", "auto, cpu or cuda:N"));
    options.addOption(value("threads", "N", "CPU threads; 0 takes the machine's"));
  }

  static void addPrecision(Options options) {
    options.addOption(value("precision", "P", "auto, fp32, tf32, bf16 or fp16"));
  }

  static void addSupervision(Options options) {
    options.addOption(
        flag("supervise", "run in a process of its own and go on by itself after a crash or the loss of the GPU"));
    options.addOption(
        value("max-restarts", "N", "with --supervise: restarts in a row without a new checkpoint; 5 if not given"));
  }

  /** Who may change it. */
  static void addAdvice(Options options) {
    options.addOption(
        flag("llm-apply", "carry out suggestions of reports inside report.changes; large ones wait for approve"));
  }

  /** Where copies go. */
  static void addStorage(Options options) {
    options.addOption(value("drive", "LOCATION", "copy each checkpoint there: a folder (mounted Drive), or gdrive:FOLDER"));
  }

  static void addSet(Options options) {
    options.addOption(value("set", "KEY=VALUE", "set any configuration key, e.g. data.batchSize=16; repeatable"));
  }

  /** The overrides that the options stand for; {@code --set} comes last and wins. */
  static List<ConfigOverride> overrides(CommandLine line) {
    List<ConfigOverride> overrides = new ArrayList<>();
    text(line, "name", "name", overrides);
    if (line.hasOption("data")) {
      overrides.add(new ConfigOverride("data.sources", sources(line.getOptionValues("data")), "--data"));
    }
    if (line.hasOption("max-bad")) {
      overrides.add(
          new ConfigOverride(
              "data.maxBad", fraction(line.getOptionValue("max-bad")), "--max-bad " + line.getOptionValue("max-bad")));
    }
    if (line.hasOption("minutes") || line.hasOption("steps") || line.hasOption("epochs")) {
      // A budget on the command line replaces the configuration's, all three limits of it.
      number(line, "minutes", "training.maxMinutes", overrides);
      number(line, "steps", "training.maxSteps", overrides);
      number(line, "epochs", "training.maxEpochs", overrides);
    }
    text(line, "device", "training.device", overrides);
    text(line, "precision", "training.precision", overrides);
    text(line, "profile", "training.profile", overrides);
    if (line.hasOption("threads")) {
      number(line, "threads", "training.threads", overrides);
    }
    if (line.hasOption("seed")) {
      number(line, "seed", "training.seed", overrides);
    }
    if (line.hasOption("llm-apply")) {
      overrides.add(new ConfigOverride("report.apply", "true", "--llm-apply"));
    }
    text(line, "drive", "storage.location", overrides);
    if (line.hasOption("set")) {
      Arrays.stream(line.getOptionValues("set")).map(ConfigOverride::parse).forEach(overrides::add);
    }
    return overrides;
  }

  /** The configuration that {@code --config} or {@code --demo} names, overrides applied. */
  static ValettsConfig config(CommandLine line) {
    if (line.hasOption("config") == line.hasOption("demo")) {
      throw new UsageException("give either --config FILE or --demo");
    }
    if (line.hasOption("languages") && !fetchesDemo(line)) {
      throw new UsageException("--languages chooses demo recordings: it goes with --demo and without --data");
    }
    List<ConfigOverride> overrides = overrides(line);
    if (line.hasOption("demo")) {
      return ConfigLoader.bundled("demo", overrides);
    }
    String named = line.getOptionValue("config");
    if (ConfigLoader.BUNDLED.contains(named) && !Files.exists(Path.of(named))) {
      return ConfigLoader.bundled(named, overrides);
    }
    return ConfigLoader.load(Path.of(named), overrides);
  }

  /** Like {@link #config}, for commands that need recordings. */
  static ValettsConfig configWithData(CommandLine line) {
    return withData(config(line), line);
  }

  /** Refuses a configuration without recordings. */
  static ValettsConfig withData(ValettsConfig config, CommandLine line) {
    if (config.data().sources().isEmpty() && !fetchesDemo(line)) {
      throw new UsageException(
          "the configuration names no recordings; add --data DIR:speaker:language (a folder with metadata.csv and wavs/)");
    }
    return config;
  }

  /** Languages of the demo recordings to fetch; empty when the recordings are the user's own. */
  static List<String> demoLanguages(CommandLine line) {
    if (!fetchesDemo(line)) {
      return List.of();
    }
    List<String> languages = Arrays.asList(line.getOptionValue("languages", "en").split("\\s*,\\s*"));
    for (String language : languages) {
      if (!ValeTts.demoLanguages().contains(language)) {
        throw new UsageException(
            "--languages: there are no demo recordings in \"" + language + "\"; there are " + String.join(", ", ValeTts.demoLanguages()));
      }
    }
    if (Set.copyOf(languages).size() < languages.size()) {
      throw new UsageException("--languages names a language twice");
    }
    return languages;
  }

  private static boolean fetchesDemo(CommandLine line) {
    return line.hasOption("demo") && !line.hasOption("data");
  }

  /** {@code 1%} or {@code 0.01}; what is neither is left for the configuration to refuse. */
  static String fraction(String share) {
    if (share.endsWith("%")) {
      try {
        return String.valueOf(Double.parseDouble(share.substring(0, share.length() - 1).strip()) / 100);
      } catch (NumberFormatException e) {
        return ConfigOverride.quoted(share);
      }
    }
    return share;
  }

  static String sources(String[] values) {
    List<String> items = new ArrayList<>();
    for (String value : values) {
      DataConfig.Source source = source(value);
      items.add(
          "{folder: "
              + ConfigOverride.quoted(source.folder())
              + (source.speaker() == null ? "" : ", speaker: " + ConfigOverride.quoted(source.speaker()))
              + (source.language() == null ? "" : ", language: " + ConfigOverride.quoted(source.language()))
              + "}");
    }
    return "[" + String.join(", ", items) + "]";
  }

  /** A path that exists is taken whole, so that its name may hold colons. */
  static DataConfig.Source source(String value) {
    if (Files.exists(Path.of(value))) {
      return new DataConfig.Source(value, null, null);
    }
    String[] parts = value.split(":", -1);
    if (parts.length > 3 || parts[0].isBlank() || parts.length == 2 && parts[1].isBlank()) {
      throw new UsageException("--data takes DIR, DIR:SPEAKER or DIR:SPEAKER:LANGUAGE, found \"" + value + "\"");
    }
    String speaker = parts.length > 1 && !parts[1].isBlank() ? parts[1] : null;
    return new DataConfig.Source(parts[0], speaker, parts.length > 2 ? parts[2] : null);
  }

  private static void text(CommandLine line, String option, String key, List<ConfigOverride> overrides) {
    if (line.hasOption(option)) {
      String value = line.getOptionValue(option);
      overrides.add(ConfigOverride.text(key, value, "--" + option + " " + value));
    }
  }

  private static void number(CommandLine line, String option, String key, List<ConfigOverride> overrides) {
    String value = line.getOptionValue(option, "null");
    overrides.add(new ConfigOverride(key, value, "--" + option + " " + value));
  }
}
