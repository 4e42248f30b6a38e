package ai.valetts.config;

import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Every rule a configuration must satisfy. Rules that touch a key which could not be read are passed over, since that
 * key has been reported already.
 */
final class ConfigRules {
  private static final int MAX_UPSAMPLES = 8;
  private static final int MAX_RESBLOCK_KERNELS = 8;
  private static final int MAX_DILATIONS = 8;

  private final ConfigReader reader;
  private final List<String> problems;

  ConfigRules(ConfigReader reader, List<String> problems) {
    this.reader = reader;
    this.problems = problems;
  }

  void check(ValettsConfig config) {
    rule(
        () -> config.name().matches("[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}"),
        () -> "takes letters, digits and . _ - (up to 100), found \"" + config.name() + "\"",
        "name");
    checkAudio(config.audio());
    checkText(config.text());
    // A section that is missing has been reported.
    if (config.data() != null) {
      checkData(config.data());
    }
    checkModel(config.model());
    if (config.optimizer() != null) {
      checkOptimizer(config.optimizer());
    }
    if (config.training() != null) {
      checkTraining(config.training());
    }
    rule(
        () -> !"cosine".equals(config.optimizer().schedule()) || config.training().maxSteps() != null,
        () -> "cosine falls to zero at training.maxSteps, which is null",
        "optimizer.schedule",
        "training.maxSteps");
    checkTheRest(config);
    checkReport(config.report());
    if (config.storage() != null) {
      checkStorage(config.storage());
    }
    if (config.cost() != null) {
      checkCost(config.cost());
    }
    checkAcrossSections(config);
  }

  private void checkAudio(AudioConfig audio) {
    range("audio.sampleRateHz", () -> audio.sampleRateHz(), 8_000, 48_000);
    range("audio.fftSize", () -> audio.fftSize(), 64, 8_192);
    range("audio.hopLength", () -> audio.hopLength(), 16, 4_096);
    range("audio.winLength", () -> audio.winLength(), 16, 8_192);
    range("audio.melBins", () -> audio.melBins(), 8, 512);
    rule(
        () -> audio.winLength() <= audio.fftSize(),
        () -> audio.winLength() + " is longer than audio.fftSize " + audio.fftSize(),
        "audio.winLength",
        "audio.fftSize");
    rule(
        () -> audio.hopLength() <= audio.fftSize() && (audio.fftSize() - audio.hopLength()) % 2 == 0,
        () ->
            audio.hopLength()
                + " must be at most audio.fftSize "
                + audio.fftSize()
                + " and differ from it by an even number, so that a clip of N samples has N / hopLength frames",
        "audio.hopLength",
        "audio.fftSize");
    rule(
        () -> audio.melBins() <= audio.fftSize() / 2 + 1,
        () -> audio.melBins() + " is more than the " + (audio.fftSize() / 2 + 1) + " bins of audio.fftSize",
        "audio.melBins",
        "audio.fftSize");
    rule(
        () -> audio.melMinHz() >= 0 && audio.melMinHz() < (highestHz(audio)),
        () -> audio.melMinHz() + " must be at least 0 and below the highest band, " + highestHz(audio) + " Hz",
        "audio.melMinHz",
        "audio.melMaxHz",
        "audio.sampleRateHz");
    rule(
        () -> audio.melMaxHz() >= 0 && audio.melMaxHz() <= audio.sampleRateHz() / 2f,
        () -> audio.melMaxHz() + " must be 0 or at most half of audio.sampleRateHz, " + audio.sampleRateHz() / 2f,
        "audio.melMaxHz",
        "audio.sampleRateHz");
  }

  private static float highestHz(AudioConfig audio) {
    return audio.melMaxHz() == 0 ? audio.sampleRateHz() / 2f : audio.melMaxHz();
  }

  private void checkText(TextConfig text) {
    oneOf("text.frontEnd", () -> text.frontEnd(), "auto", "espeak", "characters");
    language("text.language", () -> text.language());
    if (reader.isSound("text.normalization") && text != null && text.normalization() != null) {
      oneOf("text.normalization", () -> text.normalization(), "full", "none");
    }
    rule(
        () -> text.lexicon() == null || !text.lexicon().isBlank(),
        () -> "names no file; null is without a lexicon",
        "text.lexicon");
    range("text.maxSymbols", () -> text.maxSymbols(), 8, 10_000);
  }

  private void checkData(DataConfig data) {
    Set<String> seen = new HashSet<>();
    for (int i = 0; reader.isSound("data.sources") && i < data.sources().size(); i++) {
      checkSource(data.sources().get(i), "data.sources[" + i + "]", seen);
    }
    range("data.batchSize", () -> data.batchSize(), 1, 1_024);
    rule(
        () -> !data.bucketFrames().isEmpty() && data.bucketFrames().get(0) > 0 && ascending(data.bucketFrames()),
        () -> "takes at least one upper edge, each larger than the one before, found " + data.bucketFrames(),
        "data.bucketFrames");
    range("data.minSeconds", () -> data.minSeconds(), 0, 60);
    range("data.maxSeconds", () -> data.maxSeconds(), 0.1, 120);
    rule(
        () -> data.minSeconds() < data.maxSeconds(),
        () -> data.minSeconds() + " must be below data.maxSeconds " + data.maxSeconds(),
        "data.minSeconds",
        "data.maxSeconds");
    range("data.validationClips", () -> data.validationClips(), 0, 100_000);
    rule(
        () -> data.maxBad() >= 0 && data.maxBad() <= 1,
        () -> "takes a fraction from 0 to 1 (0.01 is 1 %), found " + data.maxBad(),
        "data.maxBad");
    if (data.batchFrames() != null) {
      range("data.batchFrames", () -> data.batchFrames(), 1, 10_000_000);
      rule(
          () -> data.batchFrames() >= last(data.bucketFrames()),
          () -> data.batchFrames() + " cannot hold one clip of the last of data.bucketFrames, " + last(data.bucketFrames()),
          "data.batchFrames",
          "data.bucketFrames");
    }
    checkQuality(data);
    checkVariety(data);
    range("data.decodeThreads", () -> data.decodeThreads(), 0, 256);
    range("data.prefetchBatches", () -> data.prefetchBatches(), 0, 64);
  }

  private void checkSource(DataConfig.Source source, String key, Set<String> seen) {
    rule(() -> !source.folder().isBlank(), () -> "names no folder", key + ".folder");
    if (source.speaker() != null) {
      rule(
          () -> !source.speaker().isBlank() && source.speaker().length() <= 100,
          () -> "takes a name of 1 to 100 characters, found \"" + source.speaker() + "\"",
          key + ".speaker");
    }
    rule(
        () -> seen.add(source.folder() + "|" + source.metadata()),
        () -> source.folder() + " is listed twice",
        key + ".folder");
    if (source.language() != null) {
      language(key + ".language", source::language);
    }
    if (source.format() != null) {
      oneOf(key + ".format", source::format, DataConfig.Source.FORMATS.toArray(String[]::new));
    }
    rule(
        () -> "table".equals(source.format()) == (source.columns() != null),
        () ->
            source.columns() == null
                ? "table needs columns: {audio: NAME, text: NAME}"
                : "is " + source.format() + ", but columns go with the format table alone",
        key + ".format");
    if (source.columns() != null && source.columns().delimiter() != null) {
      rule(
          () -> source.columns().delimiter().length() == 1,
          () -> "takes one character, found \"" + source.columns().delimiter() + "\"",
          key + ".columns.delimiter");
    }
  }

  private void checkQuality(DataConfig data) {
    if (data.trim() != null) {
      range("data.trim.silenceDb", () -> data.trim().silenceDb(), 10, 90);
      range("data.trim.marginSeconds", () -> data.trim().marginSeconds(), 0, 5);
    }
    if (data.checks() != null) {
      optionalRange("data.checks.minLevelDb", data.checks().minLevelDb(), -90, 0);
      optionalRange("data.checks.maxClippedShare", data.checks().maxClippedShare(), 0, 1);
      optionalRange("data.checks.minSoundsPerSecond", data.checks().minSoundsPerSecond(), 0, 100);
      optionalRange("data.checks.maxSoundsPerSecond", data.checks().maxSoundsPerSecond(), 1, 1_000);
    }
  }

  private void checkVariety(DataConfig data) {
    if (data.balance() != null) {
      range("data.balance.speakers", () -> data.balance().speakers(), 0, 1);
      range("data.balance.languages", () -> data.balance().languages(), 0, 1);
    }
    if (data.augmentation() != null) {
      optionalRange("data.augmentation.gainDb", data.augmentation().gainDb(), 0, 24);
      optionalRange("data.augmentation.pitchSemitones", data.augmentation().pitchSemitones(), 0, 4);
      optionalRange("data.augmentation.tempoShare", data.augmentation().tempoShare(), 0, 0.25);
      optionalRange("data.augmentation.noiseDb", data.augmentation().noiseDb(), 10, 90);
    }
  }

  private void optionalRange(String key, Supplier<Number> value, double least, double most) {
    rule(
        () -> value.get() == null || value.get().doubleValue() >= least && value.get().doubleValue() <= most,
        () -> "takes null or " + plain(least) + " to " + plain(most) + ", found " + value.get(),
        key);
  }

  private void optionalRange(String key, Double value, double least, double most) {
    if (value != null) {
      range(key, () -> value, least, most);
    }
  }

  private void checkModel(ModelConfig model) {
    if (reader.isSound("model.vocabularySize") && model != null && model.vocabularySize() != null) {
      range("model.vocabularySize", () -> model.vocabularySize(), 4, 65_536);
    }
    if (reader.isSound("model.speakerCount") && model != null && model.speakerCount() != null) {
      range("model.speakerCount", () -> model.speakerCount(), 1, 65_536);
    }
    range("model.speakerChannels", () -> model.speakerChannels(), 1, 4_096);
    oneOf("model.posteriorInput", () -> model.posteriorInput(), "mel", "linear");
    range("model.interChannels", () -> model.interChannels(), 2, 4_096);
    range("model.hiddenChannels", () -> model.hiddenChannels(), 2, 4_096);
    range("model.filterChannels", () -> model.filterChannels(), 1, 16_384);
    range("model.attentionHeads", () -> model.attentionHeads(), 1, 64);
    range("model.encoderLayers", () -> model.encoderLayers(), 1, 64);
    rule(
        () -> between(model.encoderKernelSize(), 1, 31) && model.encoderKernelSize() % 2 == 1,
        () -> "takes an odd size from 1 to 31, found " + model.encoderKernelSize(),
        "model.encoderKernelSize");
    rule(
        () -> model.dropout() >= 0 && model.dropout() < 1,
        () -> "takes a probability from 0 to below 1, found " + model.dropout(),
        "model.dropout");
    range("model.posteriorLayers", () -> model.posteriorLayers(), 1, 64);
    oneOf("model.flow", () -> model.flow(), "plain", "pre_conv", "pre_conv2");
    range("model.flowCouplings", () -> model.flowCouplings(), 1, 32);
    range("model.flowLayers", () -> model.flowLayers(), 1, 64);
    oneOf("model.durationPredictor", () -> model.durationPredictor(), "stochastic", "deterministic");
    oneOf("model.durationDiscriminator", () -> model.durationDiscriminator(), "none", "v1", "v2");
    checkModelShapes(model);
    checkDecoder(model);
    rule(
        () -> Integer.bitCount(model.discriminatorWidthDivisor()) == 1 && model.discriminatorWidthDivisor() <= 64,
        () -> "takes 1, 2, 4, 8, 16, 32 or 64, found " + model.discriminatorWidthDivisor(),
        "model.discriminatorWidthDivisor");
  }

  private void checkModelShapes(ModelConfig model) {
    rule(
        () -> model.attentionHeads() < 1 || model.hiddenChannels() % model.attentionHeads() == 0,
        () -> model.hiddenChannels() + " is not divisible by model.attentionHeads " + model.attentionHeads(),
        "model.hiddenChannels",
        "model.attentionHeads");
    rule(
        () -> model.interChannels() % 2 == 0,
        () -> model.interChannels() + " must be even: each flow coupling works on halves",
        "model.interChannels");
    rule(
        () -> !"pre_conv".equals(model.flow()) || model.interChannels() % 4 == 0,
        () -> model.interChannels() + " must be divisible by 4: the pre_conv flow has 2 attention heads on half of it",
        "model.interChannels",
        "model.flow");
    rule(
        () -> !"pre_conv2".equals(model.flow()) || model.hiddenChannels() % 2 == 0,
        () -> model.hiddenChannels() + " must be even: the pre_conv2 flow has 2 attention heads",
        "model.hiddenChannels",
        "model.flow");
    rule(
        () -> !model.speakerConditionedEncoder() || model.encoderLayers() > 2,
        () -> "needs model.encoderLayers above 2: the speaker enters before the third layer",
        "model.speakerConditionedEncoder",
        "model.encoderLayers");
  }

  private void checkDecoder(ModelConfig model) {
    oneOf("model.decoder", () -> model.decoderKind(), "hifigan", "bigvgan");
    range("model.resblockKind", () -> model.resblockKind(), 1, 2);
    rule(
        () ->
            between(model.resblockKernelSizes().size(), 1, MAX_RESBLOCK_KERNELS)
                && model.resblockKernelSizes().stream().allMatch(size -> between(size, 1, 63) && size % 2 == 1),
        () -> "takes 1 to " + MAX_RESBLOCK_KERNELS + " odd sizes up to 63, found " + model.resblockKernelSizes(),
        "model.resblockKernelSizes");
    rule(
        () -> model.resblockDilations().size() == model.resblockKernelSizes().size(),
        () ->
            "has "
                + model.resblockDilations().size()
                + " lists for the "
                + model.resblockKernelSizes().size()
                + " sizes of model.resblockKernelSizes; it needs one each",
        "model.resblockDilations",
        "model.resblockKernelSizes");
    rule(
        () ->
            model.resblockDilations().stream().map(List::size).distinct().count() <= 1
                && model.resblockDilations().stream()
                    .allMatch(
                        list ->
                            between(list.size(), 1, MAX_DILATIONS)
                                && list.stream().allMatch(dilation -> between(dilation, 1, 64))),
        () ->
            "takes lists of equal length, 1 to "
                + MAX_DILATIONS
                + " dilations from 1 to 64 each, found "
                + model.resblockDilations(),
        "model.resblockDilations");
    rule(
        () -> model.resblockKind() != 2 || model.resblockDilations().stream().allMatch(list -> list.size() == 2),
        () -> "takes lists of 2 dilations with model.resblockKind 2, found " + model.resblockDilations(),
        "model.resblockDilations",
        "model.resblockKind");
    rule(
        () ->
            between(model.upsampleRates().size(), 1, MAX_UPSAMPLES)
                && model.upsampleRates().stream().allMatch(rate -> between(rate, 1, 64)),
        () -> "takes 1 to " + MAX_UPSAMPLES + " rates from 1 to 64, found " + model.upsampleRates(),
        "model.upsampleRates");
    rule(
        () -> model.upsampleKernelSizes().size() == model.upsampleRates().size(),
        () ->
            "has "
                + model.upsampleKernelSizes().size()
                + " sizes for the "
                + model.upsampleRates().size()
                + " rates of model.upsampleRates; it needs one each",
        "model.upsampleKernelSizes",
        "model.upsampleRates");
    for (int i = 0;
        reader.isSound("model.upsampleKernelSizes", "model.upsampleRates")
            && i < Math.min(model.upsampleKernelSizes().size(), model.upsampleRates().size());
        i++) {
      int size = model.upsampleKernelSizes().get(i);
      int rate = model.upsampleRates().get(i);
      rule(
          () -> size >= rate && size <= 256 && (size - rate) % 2 == 0,
          () ->
              "has size "
                  + size
                  + " for rate "
                  + rate
                  + "; it must be at least the rate and differ from it by an even number (usual: twice the rate)",
          "model.upsampleKernelSizes");
    }
    range("model.upsampleInitialChannels", () -> model.upsampleInitialChannels(), 1, 4_096);
    rule(
        () ->
            model.upsampleRates().size() > MAX_UPSAMPLES
                || model.upsampleInitialChannels() % (1 << model.upsampleRates().size()) == 0,
        () ->
            model.upsampleInitialChannels()
                + " is not divisible by "
                + (1 << model.upsampleRates().size())
                + ": each of the "
                + model.upsampleRates().size()
                + " upsamplings halves it",
        "model.upsampleInitialChannels",
        "model.upsampleRates");
  }

  private void checkOptimizer(OptimizerConfig optimizer) {
    rate("optimizer.learningRate", () -> optimizer.learningRate());
    rate("optimizer.discriminatorLearningRate", () -> optimizer.discriminatorLearningRate());
    rate("optimizer.durationDiscriminatorLearningRate", () -> optimizer.durationDiscriminatorLearningRate());
    rule(
        () -> optimizer.learningRateDecay() > 0 && optimizer.learningRateDecay() <= 1,
        () -> "takes a factor above 0 and up to 1, found " + optimizer.learningRateDecay(),
        "optimizer.learningRateDecay");
    fraction("optimizer.beta1", () -> optimizer.beta1());
    fraction("optimizer.beta2", () -> optimizer.beta2());
    rule(
        () -> optimizer.epsilon() > 0 && optimizer.epsilon() <= 0.1,
        () -> "takes a number above 0 and up to 0.1, found " + optimizer.epsilon(),
        "optimizer.epsilon");
    range("optimizer.weightDecay", () -> optimizer.weightDecay(), 0, 1);
    range("optimizer.melWeight", () -> optimizer.melWeight(), 0, 1_000);
    range("optimizer.klWeight", () -> optimizer.klWeight(), 0, 1_000);
    limit("optimizer.gradientClip", () -> optimizer.gradientClip());
    rule(
        () -> optimizer.schedule() == null || List.of("exponential", "cosine").contains(optimizer.schedule()),
        () -> "takes exponential or cosine; found \"" + optimizer.schedule() + "\"",
        "optimizer.schedule");
    rule(
        () -> optimizer.warmupSteps() == null || optimizer.warmupSteps() >= 1,
        () -> "takes null or at least 1, found " + optimizer.warmupSteps(),
        "optimizer.warmupSteps");
    rule(
        () -> optimizer.averageDecay() == null || optimizer.averageDecay() >= 0 && optimizer.averageDecay() < 1,
        () -> "takes null or 0 to below 1, found " + optimizer.averageDecay(),
        "optimizer.averageDecay");
  }

  private void checkTraining(TrainingConfig training) {
    rule(
        () -> training.device().matches("auto|cpu|cuda(:[0-9]{1,3})?"),
        () -> "takes auto, cpu or cuda:N (N from 0), found \"" + training.device() + "\"",
        "training.device");
    range("training.threads", () -> training.threads(), 0, 1_024);
    if (training.precision() != null) {
      oneOf("training.precision", () -> training.precision(), "auto", "fp32", "tf32", "bf16", "fp16");
    }
    rule(
        () -> training.profile() == null
            || training.profile().equals("auto")
            || GpuProfile.NAMES.contains(training.profile()),
        () -> "names no profile: " + GpuProfile.unknown(training.profile()),
        "training.profile");
    range("training.segmentSamples", () -> training.segmentSamples(), 16, 1_000_000);
    rule(
        () -> training.microBatch() == null || training.microBatch() >= 1,
        () -> "takes null or at least 1, found " + training.microBatch(),
        "training.microBatch");
    optionalRange("training.metricsEverySteps", () -> training.metricsEverySteps(), 1, 100);
    limit("training.maxSteps", () -> training.maxSteps());
    limit("training.maxEpochs", () -> training.maxEpochs());
    limit("training.maxMinutes", () -> training.maxMinutes());
  }

  private void checkTheRest(ValettsConfig config) {
    range("validation.everySteps", () -> config.validation().everySteps(), 1, 1_000_000_000);
    optionalRange("validation.patience", () -> config.validation().patience(), 1, 1_000_000);
    rule(
        () -> config.validation().patience() == null || config.data().validationClips() > 0,
        () -> "needs held-out clips to measure: data.validationClips is 0",
        "validation.patience",
        "data.validationClips");
    rule(
        () -> between(config.validation().audioClips(), 0, config.data().validationClips()),
        () ->
            config.validation().audioClips()
                + " must be between 0 and data.validationClips "
                + config.data().validationClips(),
        "validation.audioClips",
        "data.validationClips");
    rule(
        () -> config.validation().sentences().stream().noneMatch(String::isBlank),
        () -> "has an empty sentence",
        "validation.sentences");
    limit("checkpoint.everySteps", () -> config.checkpoint().everySteps());
    limit("checkpoint.everyMinutes", () -> config.checkpoint().everyMinutes());
    range("checkpoint.keep", () -> config.checkpoint().keep(), 1, 10_000);
    optionalRange("checkpoint.keepBest", () -> config.checkpoint().keepBest(), 0, 1_000);
    limit("checkpoint.keepEverySteps", () -> config.checkpoint().keepEverySteps());
    optionalRange("checkpoint.maxGigabytes", () -> config.checkpoint().maxGigabytes(), 0.001, 1_000_000);
    range("monitor.logEverySteps", () -> config.monitor().logEverySteps(), 1, 1_000_000_000);
    rule(
        () -> config.monitor().wandb() == null || config.monitor().wandb().project().matches("[^/\\\\#?%:]{1,128}"),
        () -> "takes up to 128 characters without / \\ # ? % :, found \"" + config.monitor().wandb().project() + "\"",
        "monitor.wandb.project");
    range("synthesis.noiseScale", () -> config.synthesis().noiseScale(), 0, 4);
    range("synthesis.durationNoiseScale", () -> config.synthesis().durationNoiseScale(), 0, 4);
    range("synthesis.lengthScale", () -> config.synthesis().lengthScale(), 0.1, 10);
  }

  private void checkReport(ReportConfig report) {
    oneOf("report.language", () -> report.language(), "pt", "en", "es");
    if (report.llm() != null) {
      checkLlm(report.llm());
    }
    Set<String> seen = new HashSet<>();
    for (int i = 0; reader.isSound("report.changes") && i < report.changes().size(); i++) {
      ReportConfig.Change change = report.changes().get(i);
      String key = "report.changes[" + i + "]";
      oneOf(key + ".key", change::key, ReportConfig.CHANGEABLE_KEYS.toArray(String[]::new));
      rule(() -> seen.add(change.key()), () -> change.key() + " is listed twice", key + ".key");
      rule(
          () -> change.least() > 0 && change.least() < change.most(),
          () -> "takes more than 0 and less than most, " + change.most() + "; found " + change.least(),
          key + ".least",
          key + ".most");
      rule(
          () -> change.maxFactor() > 1 && change.maxFactor() <= 10,
          () -> "takes a factor above 1 and up to 10, found " + change.maxFactor(),
          key + ".maxFactor");
    }
  }

  private void checkLlm(ReportConfig.Llm llm) {
    rule(
        () -> !llm.ask().isEmpty() && llm.ask().stream().noneMatch(String::isBlank),
        () -> "names no model; report.llm: null asks none",
        "report.llm.ask");
    rule(
        () -> llm.baseUrl().matches("https?://[^\\s/?#@]+(/[^\\s?#]*)?"),
        () -> "takes a URL such as https://openrouter.ai/api/v1, without user, query or fragment; found \""
            + llm.baseUrl() + "\"",
        "report.llm.baseUrl");
    rule(
        () -> llm.keyFile() == null || !llm.keyFile().isBlank() && !llm.keyFile().startsWith("sk-"),
        () -> "takes the name of a file, never a key; null takes the key from OPENROUTER_API_KEY alone",
        "report.llm.keyFile");
    limit("report.llm.everyEpochs", () -> llm.everyEpochs());
    limit("report.llm.everyMinutes", () -> llm.everyMinutes());
    range("report.llm.maxUsd", () -> llm.maxUsd(), 0, 1_000);
    range("report.llm.maxUsdPerCall", () -> llm.maxUsdPerCall(), 0, 100);
    range("report.llm.maxCallsPerHour", () -> llm.maxCallsPerHour(), 0, 1_000);
    range("report.llm.maxTokens", () -> llm.maxTokens(), 0, 1_000_000_000);
    range("report.llm.maxAnswerTokens", () -> llm.maxAnswerTokens(), 256, 100_000);
    range("report.llm.timeoutSeconds", () -> llm.timeoutSeconds(), 1, 3_600);
    range("report.llm.idleSeconds", () -> llm.idleSeconds(), 1, 3_600);
  }

  private void checkStorage(StorageConfig storage) {
    rule(
        () -> !storage.location().isBlank() && !storage.location().equals(StorageConfig.DRIVE_SCHEME),
        () -> "takes a folder, or gdrive:FOLDER; storage: null keeps no copies",
        "storage.location");
    rule(
        () -> !storage.location().contains("://"),
        () -> "takes a folder, or gdrive:FOLDER; found \"" + storage.location() + "\"",
        "storage.location");
    if (storage.keep() != null) {
      range("storage.keep", storage::keep, StorageConfig.LEAST_KEPT, 1_000);
    }
    optionalRange("storage.maxGib", storage.maxGib(), 0.001, 1_000_000);
    optionalRange("storage.settleSeconds", storage.settleSeconds(), 0, 3_600);
    optionalRange("storage.timeoutSeconds", storage.timeoutSeconds(), 1, 3_600);
    optionalRange("storage.finalPushMinutes", storage.finalPushMinutes(), 0, 1_440);
    rule(
        () -> storage.apiUrl() == null || isProtected(storage.apiUrl()),
        () -> "takes an https address (http only on this machine), found \"" + storage.apiUrl() + "\"",
        "storage.apiUrl");
  }

  private void checkCost(CostConfig cost) {
    optionalRange("cost.usdPerHour", cost.usdPerHour(), 0.001, 10_000);
    optionalRange("cost.unitsPerHour", cost.unitsPerHour(), 0.001, 10_000);
    optionalRange("cost.usdPerUnit", cost.usdPerUnit(), 0.000_1, 1_000);
    optionalRange("cost.sessionHours", cost.sessionHours(), 0.01, 10_000);
    optionalRange("cost.maxUsd", cost.maxUsd(), 0.01, 1_000_000);
    optionalRange("cost.stopAfterHours", cost.stopAfterHours(), 0.001, 10_000);
    rule(
        () -> cost.usdPerHour() == null || cost.unitsPerHour() == null,
        () -> "and cost.unitsPerHour are two prices for one machine: give one of them",
        "cost.usdPerHour",
        "cost.unitsPerHour");
    rule(
        () -> cost.maxUsd() == null || cost.usdPerHour() != null || cost.unitsPerHour() != null,
        () -> "needs a price: cost.usdPerHour or cost.unitsPerHour",
        "cost.maxUsd");
  }

  /** Whether what is sent there cannot be read on the way. */
  private static boolean isProtected(String url) {
    return url.matches("https://[^\\s@]+") || url.matches("http://(localhost|127\\.0\\.0\\.1)(:[0-9]+)?(/[^\\s@]*)?");
  }

  private void checkAcrossSections(ValettsConfig config) {
    AudioConfig audio = config.audio();
    TrainingConfig training = config.training();
    rule(
        () -> product(config.model().upsampleRates()) == audio.hopLength(),
        () ->
            audio.hopLength()
                + " must equal the product of model.upsampleRates "
                + config.model().upsampleRates()
                + ", which is "
                + product(config.model().upsampleRates())
                + ": the decoder makes that many samples from each frame",
        "audio.hopLength",
        "model.upsampleRates");
    rule(
        () -> audio.hopLength() < 1 || training.segmentSamples() % audio.hopLength() == 0,
        () -> training.segmentSamples() + " must be a multiple of audio.hopLength " + audio.hopLength(),
        "training.segmentSamples",
        "audio.hopLength");
    rule(
        () -> training.segmentSamples() > (audio.fftSize() - audio.hopLength()) / 2,
        () ->
            training.segmentSamples()
                + " is too short for audio.fftSize "
                + audio.fftSize()
                + "; it must exceed (fftSize - hopLength) / 2 = "
                + (audio.fftSize() - audio.hopLength()) / 2,
        "training.segmentSamples",
        "audio.fftSize",
        "audio.hopLength");
    rule(
        () -> config.data().minSeconds() * audio.sampleRateHz() >= training.segmentSamples(),
        () ->
            config.data().minSeconds()
                + " s is shorter than training.segmentSamples "
                + training.segmentSamples()
                + " at "
                + audio.sampleRateHz()
                + " Hz; every clip must fill a segment, so it takes at least "
                + Math.ceil(1000.0 * training.segmentSamples() / audio.sampleRateHz()) / 1000
                + " s",
        "data.minSeconds",
        "training.segmentSamples",
        "audio.sampleRateHz");
    rule(
        () ->
            config.data().bucketFrames().isEmpty()
                || (double) last(config.data().bucketFrames()) * audio.hopLength()
                    >= config.data().minSeconds() * audio.sampleRateHz(),
        () -> "ends below data.minSeconds: no clip could be used",
        "data.bucketFrames",
        "data.minSeconds",
        "audio.hopLength",
        "audio.sampleRateHz");
    rule(
        () ->
            config.model().speakerCount() == null
                || namedSpeakers(config).size() <= config.model().speakerCount(),
        () ->
            config.model().speakerCount()
                + " is fewer than the speakers of data.sources: "
                + namedSpeakers(config).stream().limit(20).collect(Collectors.joining(", ")),
        "model.speakerCount",
        "data.sources");
  }

  private static List<String> namedSpeakers(ValettsConfig config) {
    return config.data().sources().stream()
        .map(DataConfig.Source::speaker)
        .filter(Objects::nonNull)
        .distinct()
        .toList();
  }

  /**
   * Reports unless the check holds.
   *
   * @param keys what the check reads; the first is the one to name
   */
  private void rule(BooleanSupplier check, Supplier<String> message, String... keys) {
    if (reader.isSound(keys) && !check.getAsBoolean()) {
      String place = reader.place(keys[0]);
      problems.add((place.isEmpty() ? "" : place + ": ") + keys[0] + " " + message.get());
    }
  }

  private void range(String key, Supplier<Number> value, double least, double most) {
    rule(
        () -> value.get().doubleValue() >= least && value.get().doubleValue() <= most,
        () -> "takes " + plain(least) + " to " + plain(most) + ", found " + value.get(),
        key);
  }

  private void limit(String key, Supplier<Number> value) {
    rule(
        () -> value.get() == null || value.get().doubleValue() > 0,
        () -> "takes null (no limit) or more than 0, found " + value.get(),
        key);
  }

  private void rate(String key, Supplier<Double> value) {
    rule(
        () -> value.get() == null || value.get() > 0 && value.get() <= 0.1,
        () -> "takes a rate above 0 and up to 0.1, found " + value.get(),
        key);
  }

  private void fraction(String key, Supplier<Double> value) {
    rule(() -> value.get() >= 0 && value.get() < 1, () -> "takes 0 to below 1, found " + value.get(), key);
  }

  private void oneOf(String key, Supplier<String> value, String... allowed) {
    rule(
        () -> List.of(allowed).contains(value.get()),
        () -> "takes " + String.join(", ", allowed) + "; found \"" + value.get() + "\"",
        key);
  }

  private void language(String key, Supplier<String> value) {
    rule(
        () -> value.get().matches("[A-Za-z]{2,8}([-_+][A-Za-z0-9]+)*"),
        () -> "takes an espeak-ng voice such as en, es or pt-br; found \"" + value.get() + "\"",
        key);
  }

  private static boolean ascending(List<Integer> edges) {
    for (int i = 1; i < edges.size(); i++) {
      if (edges.get(i) <= edges.get(i - 1)) {
        return false;
      }
    }
    return true;
  }

  private static boolean between(int value, int least, int most) {
    return value >= least && value <= most;
  }

  private static int last(List<Integer> list) {
    return list.get(list.size() - 1);
  }

  private static long product(List<Integer> factors) {
    return factors.stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b);
  }

  private static String plain(double bound) {
    return bound == Math.rint(bound) ? String.format(java.util.Locale.ROOT, "%,d", (long) bound) : String.valueOf(bound);
  }
}
