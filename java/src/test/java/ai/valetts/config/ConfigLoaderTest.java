package ai.valetts.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ConfigLoaderTest {
  private static final String TINY = ConfigLoader.bundledText("tiny");

  @ParameterizedTest
  @MethodSource("bundled")
  void readsEveryBundledConfiguration(String name) {
    assertThat(ConfigLoader.bundled(name, List.of()).name()).isEqualTo(name);
  }

  static Stream<String> bundled() {
    return ConfigLoader.BUNDLED.stream();
  }

  @Test
  void bundlesExactlyTheFilesOfConfigs() throws IOException {
    Path configs = Path.of(System.getProperty("valetts.checkout", ".."), "configs");
    try (Stream<Path> files = Files.list(configs)) {
      assertThat(files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(ConfigLoader.BUNDLED.stream().map(name -> name + ".yaml").toList());
    }
  }

  @Test
  void baseHasThePublishedSizes() {
    ValettsConfig base = ConfigLoader.bundled("base", List.of());
    assertThat(base.audio()).isEqualTo(new AudioConfig(22050, 1024, 256, 1024, 80, 0f, 0f));
    assertThat(base.model().hiddenChannels()).isEqualTo(192);
    assertThat(base.model().upsampleRates()).containsExactly(8, 8, 2, 2);
    assertThat(base.model().discriminatorWidthDivisor()).isEqualTo(1);
    assertThat(base.optimizer().epsilon()).isEqualTo(1e-9);
    assertThat(base.optimizer().melWeight()).isEqualTo(45);
    assertThat(base.training().segmentSamples()).isEqualTo(8192);
    assertThat(base.data().batchSize()).isEqualTo(64);
  }

  @Test
  void multispeakerHas52SpeakersAt22050Hz() {
    ValettsConfig config = ConfigLoader.bundled("multispeaker", List.of());
    assertThat(config.model().speakerCount()).isEqualTo(52);
    assertThat(config.model().speakerChannels()).isEqualTo(256);
    assertThat(config.audio().sampleRateHz()).isEqualTo(22050);
  }

  @Test
  void bigvganHasTheSizesOfBaseAndAnotherDecoder() {
    ValettsConfig base = ConfigLoader.bundled("base", List.of());
    ValettsConfig bigvgan = ConfigLoader.bundled("bigvgan", List.of());
    assertThat(bigvgan.model().decoderKind()).isEqualTo("bigvgan");
    assertThat(ConfigLoader.bundled("bigvgan", List.of(ConfigOverride.parse("model.decoder=hifigan"))).model())
        .isEqualTo(base.model());
    assertThat(bigvgan.audio()).isEqualTo(base.audio());
  }

  @Test
  void aFileThatNamesNoDecoderHasHifigans() {
    String without = TINY.replace("  decoder: hifigan\n", "");
    assertThat(without).isNotEqualTo(TINY);
    assertThat(ConfigLoader.parse("without", without, List.of()).model().decoderKind()).isEqualTo("hifigan");
  }

  @Test
  void namesTheLineOfAnUnknownKeyAndTheNearestValidOne() {
    assertThat(problems(text -> text.replace("  hiddenChannels: 16", "  hidenChannels: 16")))
        .containsExactlyInAnyOrder(
            "line " + lineOf("  hiddenChannels: 16")
                + ": model.hidenChannels is not a key; did you mean model.hiddenChannels?",
            "line " + lineOf("model:") + ": model.hiddenChannels is missing; it takes a whole number");
  }

  @Test
  void namesEverySectionThatIsMissing() {
    assertThatThrownBy(() -> ConfigLoader.parse("cut short", "name: to", List.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContainingAll("audio is missing", "data is missing", "training is missing", "checkpoint is missing");
  }

  @ParameterizedTest
  @CsvSource({
    "model.hidden_channels, model.hiddenChannels",
    "training.batchSize, data.batchSize",
    "data.sources[0].speker, data.sources[].speaker",
    "optimiser.learningRate, optimizer.learningRate",
    "models, model",
    "learning_rate, optimizer.learningRate",
    "audio.hop-length, audio.hopLength"
  })
  void suggestsTheNearestKey(String unknown, String expected) {
    assertThat(ConfigKeys.nearest(unknown)).isEqualTo(expected);
  }

  static Stream<Arguments> wrongTypes() {
    return Stream.of(
        Arguments.of("  hiddenChannels: 16", "  hiddenChannels: big", "a whole number, found text \"big\""),
        Arguments.of("  hiddenChannels: 16", "  hiddenChannels: 16.5", "a whole number, found the number 16.5"),
        Arguments.of("  hiddenChannels: 16", "  hiddenChannels: \"16\"", "a whole number, found text \"16\""),
        Arguments.of("  hiddenChannels: 16", "  hiddenChannels:", "a whole number, found nothing"),
        Arguments.of("  hiddenChannels: 16", "  hiddenChannels: [16]", "a whole number, found a list of 1 item"),
        Arguments.of("  hiddenChannels: 16", "  hiddenChannels: {a: 1}", "a whole number, found a section with keys a"),
        Arguments.of("  hiddenChannels: 16", "  hiddenChannels: 99999999999", "a whole number, found the number"),
        Arguments.of("  addBlank: false", "  addBlank: 1", "true or false, found the number 1"),
        Arguments.of("  addBlank: false", "  addBlank: yes", "true or false, found text \"yes\""),
        Arguments.of("  dropout: 0.0", "  dropout: .nan", "a number, found text \".nan\""),
        Arguments.of("  dropout: 0.0", "  dropout: .inf", "a number, found text \".inf\""),
        Arguments.of("  maxSteps: 100", "  maxSteps: never", "a whole number or null, found text \"never\""),
        Arguments.of("  upsampleRates: [8, 8, 4]", "  upsampleRates: 256", "a list of whole numbers, found the number 256"),
        Arguments.of("  sources: []", "  sources: [x]", "a section with the keys folder, speaker, language, format, metadata, columns, found text \"x\""),
        Arguments.of("  resblockDilations: [[1, 2], [2, 6]]", "  resblockDilations: [1, 2]", "a list of whole numbers, found the number 1"));
  }

  @ParameterizedTest
  @MethodSource("wrongTypes")
  void namesKeyLineExpectedAndFoundTypes(String good, String bad, String message) {
    String key = good.strip().split(":")[0];
    assertThat(problems(text -> text.replace(good, bad)))
        .anySatisfy(problem -> assertThat(problem).startsWith("line " + lineOf(good)).contains(key, "takes " + message));
  }

  @Test
  void reportsAllProblemsTogether() {
    List<String> problems =
        problems(
            text ->
                text.replace("  hopLength: 256", "  hopLength: 200")
                    .replace("  dropout: 0.0", "  dropout: much")
                    .replace("  flow: pre_conv", "  flow: fft\n  flavour: vanilla")
                    .replace("  keep: 2", "  keep: 0"));
    assertThat(problems)
        .anySatisfy(p -> assertThat(p).contains("audio.hopLength 200 must equal the product", "[8, 8, 4]", "256"))
        .anySatisfy(p -> assertThat(p).contains("model.dropout takes a number"))
        .anySatisfy(p -> assertThat(p).contains("model.flow takes plain, pre_conv, pre_conv2; found \"fft\""))
        .anySatisfy(p -> assertThat(p).contains("model.flavour is not a key"))
        .anySatisfy(p -> assertThat(p).contains("checkpoint.keep takes 1 to 10,000, found 0"))
        .anySatisfy(p -> assertThat(p).contains("training.segmentSamples 2048 must be a multiple"));
  }

  static Stream<Arguments> brokenRules() {
    return Stream.of(
        Arguments.of("audio.hopLength=255", "audio.hopLength 255"),
        Arguments.of("audio.hopLength=0", "audio.hopLength takes 16 to 4,096, found 0"),
        Arguments.of("audio.winLength=513", "audio.winLength 513 is longer than audio.fftSize 512"),
        Arguments.of("audio.fftSize=513", "differ from it by an even number"),
        Arguments.of("audio.melBins=300", "audio.melBins 300 is more than the 257 bins"),
        Arguments.of("audio.melMaxHz=9000", "audio.melMaxHz 9000.0 must be 0 or at most half"),
        Arguments.of("audio.melMinHz=8000", "audio.melMinHz 8000.0 must be at least 0 and below"),
        Arguments.of("audio.sampleRateHz=4000", "audio.sampleRateHz takes 8,000 to 48,000, found 4000"),
        Arguments.of("text.frontEnd=festival", "text.frontEnd takes auto, espeak, characters"),
        Arguments.of("text.language='pt br'", "text.language takes an espeak-ng voice"),
        Arguments.of("data.sources=[{folder: '', speaker: a}]", "data.sources[0].folder names no folder"),
        Arguments.of("data.sources=[{folder: x, speaker: ' '}]", "data.sources[0].speaker takes a name"),
        Arguments.of("data.sources=[{folder: x, speaker: a},{folder: x, speaker: b}]", "x is listed twice"),
        Arguments.of("data.sources=[{folder: x, speaker: a, format: wave}]", "data.sources[0].format takes auto, ljspeech"),
        Arguments.of("data.sources=[{folder: x, format: table}]", "data.sources[0].format table needs columns"),
        Arguments.of(
            "data.sources=[{folder: x, format: vits, columns: {audio: a, text: b}}]",
            "columns go with the format table alone"),
        Arguments.of(
            "data.sources=[{folder: x, format: table, columns: {audio: a, text: b, delimiter: ab}}]",
            "data.sources[0].columns.delimiter takes one character"),
        Arguments.of("data.batchFrames=10", "data.batchFrames 10 cannot hold one clip"),
        Arguments.of("data.trim={silenceDb: 5, marginSeconds: 0}", "data.trim.silenceDb takes 10 to 90, found 5.0"),
        Arguments.of("data.balance={speakers: 2, languages: 0}", "data.balance.speakers takes 0 to 1, found 2.0"),
        Arguments.of("data.augmentation={tempoShare: 0.5}", "data.augmentation.tempoShare takes 0 to 0.25, found 0.5"),
        Arguments.of("data.checks={maxClippedShare: 2}", "data.checks.maxClippedShare takes 0 to 1, found 2.0"),
        Arguments.of("data.bucketFrames=[]", "data.bucketFrames takes at least one upper edge"),
        Arguments.of("data.bucketFrames=[100,100]", "each larger than the one before, found [100, 100]"),
        Arguments.of("data.bucketFrames=[5]", "data.bucketFrames ends below data.minSeconds"),
        Arguments.of("data.minSeconds=9", "data.minSeconds 9.0 must be below data.maxSeconds"),
        Arguments.of("data.minSeconds=0.1", "every clip must fill a segment, so it takes at least 0.128 s"),
        Arguments.of("data.maxBad=1.5", "data.maxBad takes a fraction"),
        Arguments.of("model.vocabularySize=1", "model.vocabularySize takes 4 to 65,536, found 1"),
        Arguments.of("model.speakerCount=0", "model.speakerCount takes 1 to 65,536, found 0"),
        Arguments.of("model.hiddenChannels=17", "model.hiddenChannels 17 is not divisible by model.attentionHeads 2"),
        Arguments.of("model.interChannels=18", "model.interChannels 18 must be divisible by 4"),
        Arguments.of("model.encoderKernelSize=4", "model.encoderKernelSize takes an odd size from 1 to 31, found 4"),
        Arguments.of("model.encoderLayers=2", "model.speakerConditionedEncoder needs model.encoderLayers above 2"),
        Arguments.of("model.resblockKernelSizes=[3,4]", "model.resblockKernelSizes takes 1 to 8 odd sizes"),
        Arguments.of("model.resblockKernelSizes=[3,5,7]", "has 2 lists for the 3 sizes"),
        Arguments.of("model.resblockDilations=[[1],[2,6]]", "takes lists of equal length"),
        Arguments.of("model.resblockDilations=[[1,3,5],[1,3,5]]", "takes lists of 2 dilations with model.resblockKind 2"),
        Arguments.of("model.resblockDilations=[[],[]]", "takes lists of equal length, 1 to 8"),
        Arguments.of("model.decoder=istft", "model.decoder takes hifigan, bigvgan; found \"istft\""),
        Arguments.of("model.resblockKind=3", "model.resblockKind takes 1 to 2, found 3"),
        Arguments.of("model.upsampleKernelSizes=[16,16]", "has 2 sizes for the 3 rates"),
        Arguments.of("model.upsampleKernelSizes=[16,15,8]", "has size 15 for rate 8"),
        Arguments.of("model.upsampleKernelSizes=[16,6,8]", "has size 6 for rate 8"),
        Arguments.of("model.upsampleRates=[]", "model.upsampleRates takes 1 to 8 rates"),
        Arguments.of("model.upsampleRates=[8,8,-4]", "model.upsampleRates takes 1 to 8 rates from 1 to 64"),
        Arguments.of("model.upsampleInitialChannels=12", "12 is not divisible by 8"),
        Arguments.of("model.discriminatorWidthDivisor=3", "takes 1, 2, 4, 8, 16, 32 or 64, found 3"),
        Arguments.of("optimizer.learningRate=0", "optimizer.learningRate takes a rate above 0"),
        Arguments.of("optimizer.discriminatorLearningRate=2", "optimizer.discriminatorLearningRate takes a rate"),
        Arguments.of("optimizer.beta2=1", "optimizer.beta2 takes 0 to below 1"),
        Arguments.of("training.device=gpu", "training.device takes auto, cpu or cuda:N"),
        Arguments.of("training.segmentSamples=2000", "training.segmentSamples 2000 must be a multiple of audio.hopLength 256"),
        Arguments.of("training.maxSteps=0", "training.maxSteps takes null (no limit) or more than 0"),
        Arguments.of("training.maxMinutes=-1", "training.maxMinutes takes null (no limit) or more than 0"),
        Arguments.of("validation.audioClips=3", "must be between 0 and data.validationClips 2"),
        Arguments.of("validation.sentences=['']", "validation.sentences has an empty sentence"),
        Arguments.of("checkpoint.everySteps=0", "checkpoint.everySteps takes null"),
        Arguments.of("synthesis.lengthScale=0", "synthesis.lengthScale takes 0.1 to 10, found 0.0"),
        Arguments.of("name=a/b", "name takes letters, digits"),
        Arguments.of("name=..", "name takes letters, digits"));
  }

  @ParameterizedTest
  @MethodSource("brokenRules")
  void refusesWhatBreaksARule(String assignment, String message) {
    ConfigException e =
        catchThrowableOfType(
            ConfigException.class,
            () -> ConfigLoader.parse("tiny.yaml", TINY, List.of(ConfigOverride.parse(assignment))));
    assertThat(e).as(assignment).isNotNull();
    assertThat(e.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
  }

  @Test
  void namesTheOverrideThatBrokeARule() {
    ConfigException e =
        catchThrowableOfType(
            ConfigException.class,
            () -> ConfigLoader.parse("tiny.yaml", TINY, List.of(ConfigOverride.parse("checkpoint.keep=none"))));
    assertThat(e.problems())
        .containsExactly("--set checkpoint.keep=none: checkpoint.keep takes a whole number, found text \"none\"");
  }

  @Test
  void laysOverridesOverTheFile() {
    ValettsConfig config =
        ConfigLoader.parse(
            "tiny.yaml",
            TINY.replace("  sources: []", "  sources:\n    - folder: here\n      speaker: ana"),
            List.of(
                ConfigOverride.parse("model.upsampleRates=[16,16]"),
                ConfigOverride.parse("model.upsampleKernelSizes=[32,32]"),
                ConfigOverride.parse("training.maxSteps=null"),
                ConfigOverride.parse("training.maxMinutes=2"),
                ConfigOverride.parse("optimizer.learningRate=1e-3"),
                ConfigOverride.parse("data.sources[0].speaker=bia"),
                ConfigOverride.parse("data.sources[0].language=no"),
                ConfigOverride.text("name", "run-1", "--name")));
    assertThat(config.model().upsampleRates()).containsExactly(16, 16);
    assertThat(config.training().maxSteps()).isNull();
    assertThat(config.training().maxMinutes()).isEqualTo(2);
    assertThat(config.optimizer().learningRate()).isEqualTo(0.001);
    assertThat(config.data().sources())
        .containsExactly(new DataConfig.Source(Path.of("here").toAbsolutePath().toString(), "bia", "no"));
    assertThat(config.name()).isEqualTo("run-1");
  }

  @ParameterizedTest
  @CsvSource({
    "data.sources[3].speaker=x, points past the end",
    "data.sources[].speaker=x, is no key",
    "name.first=x, has no keys of its own",
    "model..flow=x, is no key",
    "nothing.here=1, did you mean",
    "data.batchSize.x=1, has no keys of its own"
  })
  void refusesAnOverrideThatLeadsNowhere(String assignment, String message) {
    ConfigException e =
        catchThrowableOfType(
            ConfigException.class,
            () -> ConfigLoader.parse("tiny.yaml", TINY, List.of(ConfigOverride.parse(assignment))));
    assertThat(e.problems()).anySatisfy(problem -> assertThat(problem).contains(message));
  }

  @Test
  void refusesAnOverrideWithoutAValue() {
    for (String assignment : List.of("model.flow", "=plain")) {
      assertThat(catchThrowableOfType(
              ConfigException.class,
              () -> ConfigLoader.parse("tiny.yaml", TINY, List.of(ConfigOverride.parse(assignment)))))
          .hasMessageContaining("--set " + assignment + ": expected key=value");
    }
  }

  @Test
  void reportsFaultsOfAllKindsInOverridesTogether() {
    List<ConfigOverride> overrides =
        Stream.of("data.batchsize=3", "foo", "text.frontEnd=x", "model..flow=1").map(ConfigOverride::parse).toList();
    ConfigException e =
        catchThrowableOfType(ConfigException.class, () -> ConfigLoader.parse("tiny.yaml", TINY, overrides));
    assertThat(e.problems())
        .hasSize(4)
        .anyMatch(problem -> problem.contains("data.batchsize is not a key; did you mean data.batchSize?"))
        .anyMatch(problem -> problem.contains("--set foo: expected key=value"))
        .anyMatch(problem -> problem.contains("text.frontEnd takes"))
        .anyMatch(problem -> problem.contains("model..flow is no key"));
  }

  @Test
  void reportsAKeyGivenTwice() {
    assertThat(problems(text -> text.replace("  keep: 2", "  keep: 2\n  keep: 3")))
        .anySatisfy(problem -> assertThat(problem).contains("keep is given twice"));
  }

  @ParameterizedTest
  @CsvSource({"'', is empty", "'a: [1', not valid YAML", "'- 1', takes a section", "'# only a comment', is empty"})
  void refusesWhatIsNoConfiguration(String yaml, String message) {
    ConfigException e =
        catchThrowableOfType(ConfigException.class, () -> ConfigLoader.parse("x.yaml", yaml, List.of()));
    assertThat(e).hasMessageContaining("x.yaml").hasMessageContaining(message);
  }

  @Test
  void saysThatAFileIsMissing(@TempDir Path folder) {
    assertThat(
            catchThrowableOfType(
                ConfigException.class, () -> ConfigLoader.load(folder.resolve("none.yaml"), List.of())))
        .hasMessageContaining("there is no such file");
  }

  @Test
  void refusesAFileThatIsNotText(@TempDir Path folder) throws IOException {
    Path file = Files.write(folder.resolve("x.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
    assertThat(catchThrowableOfType(ConfigException.class, () -> ConfigLoader.load(file, List.of())))
        .hasMessageContaining("not UTF-8");
  }

  @Test
  void readsAFileWithWindowsLineEnds(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("x.yaml");
    Files.write(file, TINY.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8));
    assertThat(ConfigLoader.load(file, List.of())).isEqualTo(ConfigLoader.bundled("tiny", List.of()));
  }

  private static List<String> problems(UnaryOperator<String> change) {
    String changed = change.apply(TINY);
    assertThat(changed).isNotEqualTo(TINY);
    ConfigException e =
        catchThrowableOfType(ConfigException.class, () -> ConfigLoader.parse("tiny.yaml", changed, List.of()));
    assertThat(e).isNotNull();
    return e.problems();
  }

  private static int lineOf(String line) {
    return TINY.lines().map(String::stripTrailing).toList().stream()
            .map(l -> l.startsWith(line))
            .toList()
            .indexOf(true)
        + 1;
  }

  @Test
  void oneKeySwitchesStorageOn() {
    ValettsConfig off = ConfigLoader.bundled("tiny", List.of());
    assertThat(off.storage()).isNull();
    String written = ConfigWriter.write(off);
    ValettsConfig on =
        ConfigLoader.parse("saved", written, List.of(ConfigOverride.parse("storage.location=/content/drive/MyDrive/v")));
    assertThat(on.storage()).isEqualTo(StorageConfig.at("/content/drive/MyDrive/v"));
    assertThat(ConfigDifference.refused(off, on)).isEmpty();
    assertThat(ConfigLoader.parse("saved", ConfigWriter.write(on), List.of())).isEqualTo(on);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "storage={location: x, keeep: 3} | storage.keeep is not a key; did you mean storage.keep?",
        "storage={location: x, keep: 1} | storage.keep takes 2 to 1,000",
        "storage={keep: 2} | storage.location is missing",
        "storage.location=s3://bucket | storage.location takes a folder, or gdrive:FOLDER",
        "storage.location='gdrive:' | storage.location takes a folder, or gdrive:FOLDER",
        "storage={location: x, apiUrl: 'http://proxy/'} | storage.apiUrl takes an https address"
      })
  void refusesAStorageThatCannotBe(String override, String message) {
    assertThatThrownBy(() -> ConfigLoader.bundled("tiny", List.of(ConfigOverride.parse(override))))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(message);
  }
}
