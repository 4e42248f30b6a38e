package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.valetts.app.EndToEnd.Ended;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real jar in a process of its own: what it says and how it ends when things go wrong, and when they do not. */
@Tag("e2e")
class CommandLineEndToEndTest {
  private static final String SPEAKER = "ana:en-us";

  @TempDir private Path root;

  @BeforeEach
  void recordings() {
    ToySpeech.folder(root.resolve("ana"), 8, 1);
  }

  @Test
  void wrongConfigurationsEndWithCode2AndNameTheKey() throws Exception {
    assertRefused(train("--set", "model.hiddenChanels=96"), 2, "hiddenChanels", "hiddenChannels");
    assertRefused(train("--set", "data.batchSize=many"), 2, "data.batchSize", "many");
    assertRefused(train("--set", "audio.hopLength=200"), 2, "audio.hopLength", "model.upsampleRates");
  }

  /** The jar holds only a part of ICU4J's data. */
  @Test
  void numbersAreSpelledOutOfTheJar() throws Exception {
    Map<String, String> words =
        Map.of(
            "pt-br", "vinte e uma casas",
            "en-us", "twenty-one casas",
            "es", "veintiuna casas",
            "fr-fr", "vingt-et-un casas",
            "it", "ventuno casas",
            "ru", "двадцать один casas");
    for (Map.Entry<String, String> language : words.entrySet()) {
      Ended ended = valetts("text", "--language", language.getKey(), "--normalized-only", "21 casas");
      assertThat(ended.output().strip()).isEqualTo(language.getValue());
      assertThat(ended.exitCode()).isZero();
    }
  }

  @Test
  void anAbsentGpuEndsWithCode4() throws Exception {
    assumeTrue(Files.notExists(Path.of("/dev/nvidiactl")), "this machine has a GPU");
    assertRefused(train("--device", "cuda:0", "--steps", "1"), 4, "cuda");
  }

  @Test
  void dataWithoutAUsableClipEndsWithCode3() throws Exception {
    ToySpeech.metadata(root.resolve("ana"), List.of("nobody|bad", "clip001|", "clip002|" + "a".repeat(200)));
    assertRefused(train("--steps", "1"), 3, "no usable clip", "nobody", "metadata.csv:2");
    ToySpeech.metadata(root.resolve("ana"), List.of());
    assertRefused(train("--steps", "1"), 3, "no usable clip", "0 rows");
    assertRefused(valetts("train", "--config", "tiny", "--data", root.resolve("nowhere") + ":ana"), 3, "nowhere");
  }

  @Test
  void badRowsAreListedAndLeftOutUntilTheyAreTooMany() throws Exception {
    Path wavs = root.resolve("ana/wavs");
    Files.write(wavs.resolve("corrupt.wav"), "RIFF is not enough".getBytes(StandardCharsets.UTF_8));
    Files.writeString(root.resolve("ana/metadata.csv"),
        "missing|bad\ncorrupt|bad\nclip000|\nclip001|" + "ab".repeat(120) + "\n", StandardOpenOption.APPEND);
    assertRefused(train("--steps", "1"), 3, "4 of 12 rows", "--max-bad");
    Ended ended = train("--steps", "1", "--max-bad", "50%");
    assertThat(ended.output())
        .contains("metadata.csv:9: missing", "metadata.csv:10: corrupt", "metadata.csv:11", "metadata.csv:12");
    assertThat(ended.exitCode()).isZero();
  }

  @Test
  void otherSampleRatesAndStereoAreConvertedAndSaid() throws Exception {
    Path wavs = root.resolve("ana/wavs");
    float[] samples = ToySpeech.speak("badgedemo", 5);
    ToySpeech.wav(wavs.resolve("slow.wav"), samples, 8000);
    Files.write(wavs.resolve("stereo.wav"), stereo(samples, 48000));
    Files.writeString(root.resolve("ana/metadata.csv"), "slow|badgedemo\nstereo|bad\n", StandardOpenOption.APPEND);
    Ended ended = train("--steps", "2");
    assertThat(ended.output())
        .contains("1 clip converted from 8000 Hz mono to 16000 Hz mono")
        .contains("1 clip converted from 48000 Hz stereo to 16000 Hz mono");
    assertThat(ended.exitCode()).isZero();
  }

  @Test
  void aCheckpointCutInHalfEndsWithCode6AndResumeTakesTheOneBefore() throws Exception {
    assertThat(train("--steps", "4", "--set", "checkpoint.everySteps=2").exitCode()).isZero();
    Path newest = root.resolve("runs/tiny/checkpoints/step-00000004");
    Path tensors = newest.resolve("generator.safetensors");
    byte[] whole = Files.readAllBytes(tensors);
    Files.write(tensors, java.util.Arrays.copyOf(whole, whole.length / 2));
    assertRefused(
        valetts("synth", "--voice", newest.toString(), "--text", "bad", "--out", "x.wav"),
        6, "step-00000004", "generator.safetensors", "bytes instead of");

    Ended resumed = valetts("resume", "runs/tiny");
    assertThat(resumed.output()).contains("Skipped a checkpoint").contains("goes on at step 2");
    assertThat(resumed.exitCode()).isZero();
    assertThat(Files.readAllBytes(tensors)).isEqualTo(whole);
  }

  @Test
  void aSignalSavesLeavesWithCode130AndResumeGoesOn() throws Exception {
    Path log = root.resolve("log");
    Process process =
        EndToEnd.startInterruptible(root, log, arguments("--steps", "1000000", "--set", "checkpoint.everySteps=null"));
    waitForLine(process, log, "step 1 ");
    new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor();
    Ended ended = EndToEnd.await(process, log);
    assertThat(ended.output()).contains("Interrupted: saving").contains("Stopped at step");
    assertThat(ended.exitCode()).as(ended.output()).isEqualTo(130);
    Path checkpoints = root.resolve("runs/tiny/checkpoints");
    assertThat(names(checkpoints)).singleElement().asString().matches("step-\\d{8}");
    long step = Long.parseLong(names(checkpoints).get(0).substring(5));

    Ended resumed = valetts("resume", "runs/tiny", "--steps", String.valueOf(step + 2));
    assertThat(resumed.output()).contains("goes on at step " + step);
    assertThat(resumed.exitCode()).isZero();
    assertThat(names(checkpoints)).contains("step-%08d".formatted(step + 2));
  }

  @Test
  void aFullDiskEndsWithCode5AndKeepsTheLastCheckpoint() throws Exception {
    Path disk = Files.createDirectory(root.resolve("disk"));
    boolean mounted =
        new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=5m", "none", disk.toString())
                .redirectErrorStream(true)
                .start()
                .waitFor()
            == 0;
    assumeTrue(mounted, "only root can mount a small disk");
    try {
      Ended ended = train("--run", disk.resolve("run").toString(), "--steps", "40", "--set", "checkpoint.everySteps=2",
          "--set", "checkpoint.keep=100");
      assertRefused(ended, 5, "space");
      Path checkpoints = disk.resolve("run/checkpoints");
      assertThat(names(checkpoints)).isNotEmpty().noneMatch(name -> name.endsWith(".tmp"));
      String newest = names(checkpoints).get(names(checkpoints).size() - 1);
      assertThat(valetts("info", checkpoints.resolve(newest).toString()).exitCode()).isZero();
    } finally {
      new ProcessBuilder("umount", disk.toString()).start().waitFor();
    }
  }

  @Test
  void trainsSpeaksAndDescribes() throws Exception {
    Ended trained = train("--steps", "3");
    assertThat(trained.exitCode()).as(trained.output()).isZero();
    assertThat(trained.output()).contains("mel_ratio").contains("it/s").contains("to go (3 steps)");
    Files.writeString(root.resolve("lines.txt"), "bad dog\n\ngood men\n");
    Ended spoken = valetts("synth", "--voice", "runs/tiny", "--file", "lines.txt", "--out", "speech", "--seed", "3");
    assertThat(spoken.exitCode()).as(spoken.output()).isZero();
    assertThat(root.resolve("speech/0001.wav")).exists();
    assertThat(root.resolve("speech/0003.wav")).exists();
    Ended coarse = valetts("synth", "--voice", "runs/tiny", "--text", "bad dog", "--out", "coarse.wav", "--seed", "3",
        "--precision", "bf16");
    assertThat(coarse.exitCode()).as(coarse.output()).isZero();
    assertThat(Files.size(root.resolve("coarse.wav"))).isEqualTo(Files.size(root.resolve("speech/0001.wav")));
    assertThat(root.resolve("runs/tiny/evaluation.json")).exists();
    assertThat(valetts("info", "runs/tiny").output()).contains("ana").contains("all verified");
    Ended profiled = valetts("profile", "--run", "runs/tiny", "--steps", "1", "--warm-up", "0");
    assertThat(profiled.exitCode()).as(profiled.output()).isZero();
    assertThat(profiled.output()).contains("1 step, batches of").containsPattern("waiting for data +forward");
  }

  @Test
  void profilesStepsAndTheirRowsAddUp() throws Exception {
    Ended ended =
        valetts("profile", "--config", "tiny", "--steps", "2", "--seconds", "0.5", "--json", "--trace", "trace.json",
            "--set", "data.batchSize=2", "--threads", "1");
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    ObjectMapper mapper = new ObjectMapper();
    JsonNode profile = mapper.readTree(ended.output().substring(ended.output().indexOf('{')));
    assertThat(profile.fieldNames())
        .toIterable()
        .containsExactly(
            "config", "device", "precision", "threads", "batches", "warmUpSteps", "steps", "rows", "total", "recordedKernels",
            "trace");
    assertThat(profile.get("recordedKernels").longValue()).as("the CPU records no step").isZero();
    assertThat(profile.get("steps").intValue()).isEqualTo(2);
    assertThat(profile.get("threads").intValue()).isEqualTo(1);
    Set<String> learnt = new TreeSet<>();
    Set<String> run = new TreeSet<>();
    double seconds = 0;
    double operators = 0;
    for (JsonNode row : profile.get("rows")) {
      assertThat(row.fieldNames())
          .toIterable()
          .containsExactly(
              "module", "direction", "secondsPerStep", "share", "callsPerStep", "operatorsPerStep", "bytesPerStep");
      (row.get("direction").textValue().equals("backward") ? learnt : run).add(row.get("module").textValue());
      assertThat(row.get("secondsPerStep").doubleValue()).isBetween(0.0, 60.0);
      seconds += row.get("secondsPerStep").doubleValue();
      operators += row.get("operatorsPerStep").doubleValue();
    }
    List<String> networks =
        List.of("text encoder", "posterior encoder", "flow", "duration predictor", "decoder", "discriminator, scale",
            "discriminator, period 7", "discriminator, durations", "spectrograms", "losses");
    assertThat(learnt).containsAll(networks);
    assertThat(run).containsAll(networks).contains("alignment search", "optimizers", "data");
    assertThat(profile.at("/total/secondsPerStep").doubleValue()).isCloseTo(seconds, within(1e-9));
    assertThat(profile.at("/total/operatorsPerStep").doubleValue()).isCloseTo(operators, within(1e-6));
    JsonNode trace = mapper.readTree(root.resolve("trace.json").toFile());
    assertThat(trace.get("traceEvents").size()).isGreaterThan((int) operators);
  }

  @Test
  void theFullSizeNetworksHaveThePublishedSizesAndTakeARealStep() throws Exception {
    Ended single =
        valetts("info", "--config", "base", "--step", "--set", "data.batchSize=1", "--set", "model.vocabularySize=178");
    assertThat(single.exitCode()).as(single.output()).isZero();
    assertThat(single.output())
        .containsPattern("generator +39,947,376")
        .containsPattern("never used by the reference +2,964,480")
        .containsPattern("waveform discriminators +46,747,132")
        .containsPattern("duration discriminator +555,841")
        .containsPattern("mel L1 +[0-9.]+")
        .containsPattern("process, peak +[0-9,.]+ MiB");
    Ended several =
        valetts("info", "--config", "multispeaker", "--step", "--set", "data.batchSize=1", "--set",
            "model.vocabularySize=178", "--set", "model.speakerCount=109", "--set", "model.flow=pre_conv2");
    assertThat(several.exitCode()).as(several.output()).isZero();
    assertThat(several.output())
        .containsPattern("generator +41,745,392")
        .containsPattern("speaker embedding +27,904")
        .containsPattern("process, peak +[0-9,.]+ MiB");
  }

  private Ended train(String... more) throws Exception {
    return valetts(arguments(more));
  }

  private String[] arguments(String... more) {
    List<String> all =
        new ArrayList<>(List.of("train", "--config", "tiny", "--data", root.resolve("ana") + ":" + SPEAKER, "--set",
            "text.frontEnd=characters", "--set", "validation.sentences=[bad]"));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private Ended valetts(String... arguments) throws Exception {
    return EndToEnd.valetts(root, arguments);
  }

  private static void assertRefused(Ended ended, int exitCode, String... parts) {
    assertThat(ended.exitCode()).as(ended.output()).isEqualTo(exitCode);
    assertThat(ended.output()).contains(parts).doesNotContain("\tat ").doesNotContain("Exception");
  }

  private static void waitForLine(Process process, Path log, String part) throws Exception {
    for (int tenths = 0; tenths < 1200; tenths++) {
      if (Files.readString(log).contains(part)) {
        return;
      }
      assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
      TimeUnit.MILLISECONDS.sleep(100);
    }
    throw new IllegalStateException("never said \"" + part + "\":\n" + Files.readString(log));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static byte[] stereo(float[] samples, int sampleRateHz) {
    int dataBytes = samples.length * 4;
    ByteBuffer wav = ByteBuffer.allocate(44 + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    wav.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(36 + dataBytes);
    wav.put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII)).putInt(16).putShort((short) 1).putShort((short) 2);
    wav.putInt(sampleRateHz).putInt(sampleRateHz * 4).putShort((short) 4).putShort((short) 16);
    wav.put("data".getBytes(StandardCharsets.US_ASCII)).putInt(dataBytes);
    for (float sample : samples) {
      wav.putShort((short) (sample * 20000)).putShort((short) (sample * 10000));
    }
    return wav.array();
  }
}
