package ai.valetts.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.app.AdviseRequest;
import ai.valetts.app.AdviseResult;
import ai.valetts.app.ApproveRequest;
import ai.valetts.app.ApproveResult;
import ai.valetts.app.CheckpointRequest;
import ai.valetts.app.CheckpointResult;
import ai.valetts.app.DriveRequest;
import ai.valetts.app.DriveResult;
import ai.valetts.app.ExitCode;
import ai.valetts.app.ExportRequest;
import ai.valetts.app.ExportResult;
import ai.valetts.app.ImportRequest;
import ai.valetts.app.ImportResult;
import ai.valetts.app.InfoRequest;
import ai.valetts.app.InfoResult;
import ai.valetts.app.Operations;
import ai.valetts.app.ParityRequest;
import ai.valetts.app.ParityResult;
import ai.valetts.app.PrepareRequest;
import ai.valetts.app.PrepareResult;
import ai.valetts.app.ProfileRequest;
import ai.valetts.app.ProfileResult;
import ai.valetts.app.ResumeRequest;
import ai.valetts.app.RunResult;
import ai.valetts.app.StatusResult;
import ai.valetts.app.SynthRequest;
import ai.valetts.app.SynthResult;
import ai.valetts.app.TrainRequest;
import ai.valetts.config.ConfigLoader;
import ai.valetts.config.ConfigOverride;
import ai.valetts.config.DataConfig;
import ai.valetts.config.ValettsConfig;
import ai.valetts.data.DemoCorpus;
import ai.valetts.engine.EngineException;
import ai.valetts.engine.EngineStatus;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineInterfaceTest {
  private final ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
  private final ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
  private final Recorder recorder = new Recorder();
  private byte[] input = {};

  private ExitCode run(String... arguments) {
    Terminal terminal =
        new Terminal(
            new ByteArrayInputStream(input),
            new PrintStream(outBytes, true, StandardCharsets.UTF_8),
            new PrintStream(errBytes, true, StandardCharsets.UTF_8),
            () -> recorder);
    return new CommandLineInterface(terminal).run(arguments);
  }

  private String out() {
    return outBytes.toString(StandardCharsets.UTF_8);
  }

  private String err() {
    return errBytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void listsTheCommands() {
    assertThat(run("--help")).isEqualTo(ExitCode.DONE);
    assertThat(out()).contains("train", "resume", "synth", "prepare", "text", "import", "export", "info", "profile", "status", "report", "advise", "approve", "checkpoint", "parity", "drive", "doctor");
    assertThat(run()).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("usage: valetts COMMAND");
  }

  @ParameterizedTest
  @ValueSource(strings = {"train", "resume", "synth", "prepare", "text", "import", "export", "info", "profile", "status", "report", "advise", "approve", "checkpoint", "parity", "drive", "doctor"})
  void explainsEachCommand(String command) {
    assertThat(run(command, "--help")).isEqualTo(ExitCode.DONE);
    assertThat(out()).contains("valetts " + command).contains("--verbose");
    String first = out();
    outBytes.reset();
    assertThat(run("help", command)).isEqualTo(ExitCode.DONE);
    assertThat(out()).isEqualTo(first);
    assertThat(first.lines()).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(120));
  }

  @ParameterizedTest
  @CsvSource({"trian, train", "resum, resume", "synthesize, synth", "Doktor, doctor", "inf, info"})
  void suggestsTheNearestCommand(String typed, String meant) {
    assertThat(run(typed)).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("there is no command \"" + typed + "\"; did you mean " + meant + "?");
  }

  @Test
  void saysWhereARunStands() {
    assertThat(run("status", "runs/lj")).isEqualTo(ExitCode.DONE);
    assertThat(out())
        .contains(
            "lj: running", "1,200, epoch 3, 12 min 00 s trained, 2 starts", "30 minutes, 40 % done, 18 min 00 s to go",
            "loss/g/total", "31.500  falls 2.0 %", "not finite", "step 1,000: mel_l1 0.500", "step 800: mel_l1 0.400",
            "checkpoints/step-00001000 (24.0 MB), 2 kept", "warnings (9)", "step 7: mind the gap");
    outBytes.reset();
    assertThat(run("status", "runs/lj", "--json")).isEqualTo(ExitCode.DONE);
    assertThat(out()).contains("\"state\" : \"RUNNING\"", "\"secondsToGo\" : 1080.0");
    assertThat(run("status")).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void asksARunForACheckpoint() {
    assertThat(run("checkpoint", "runs/lj", "--wait", "2.5")).isEqualTo(ExitCode.DONE);
    assertThat(recorder.requests).containsExactly(new CheckpointRequest(Path.of("runs/lj"), 2.5));
    assertThat(out()).contains("Saved step 1,200: runs/lj/checkpoints/step-00001200 (24.0 MB)");
    assertThat(run("checkpoint")).isEqualTo(ExitCode.USAGE);
    assertThat(run("checkpoint", "runs/lj", "--wait", "soon")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("--wait takes seconds", "\"soon\"");
  }

  @Test
  void precisionAndProfileAreSettings() {
    assertThat(run("train", "--demo", "--profile", "t4", "--precision", "bf16")).isEqualTo(ExitCode.DONE);
    TrainRequest request = (TrainRequest) recorder.requests.get(0);
    assertThat(request.config().training().profile()).isEqualTo("t4");
    assertThat(request.config().training().precision()).isEqualTo("bf16");
    assertThat(run("train", "--demo", "--profile", "t5")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("there is no profile \"t5\"; did you mean t4?");
  }

  @Test
  void aSupervisedCommandIsTheSameOneWithoutThatWord() throws Exception {
    String[] words = {"resume", "runs/lj", "--supervise", "--steps", "9", "--max-restarts", "3", "--from-drive", "drive/lj"};
    assertThat(Supervision.isAsked(words)).isTrue();
    assertThat(Supervision.isAsked(new String[] {"resume", "--supervise", "--help"})).isFalse();
    assertThat(Supervision.isAsked(new String[] {"synth", "--supervise"})).isFalse();
    CommandLine line = new DefaultParser().parse(new ResumeCommand().options(), Arrays.copyOfRange(words, 1, words.length));
    Supervision supervision = new Supervision(line, Arrays.asList(words));
    assertThat(supervision.childArguments(0))
        .containsExactly("resume", "runs/lj", "--steps", "9", "--from-drive", "drive/lj");
    assertThat(supervision.childArguments(1)).containsExactly("resume", "runs/lj", "--steps", "9");
    assertThat(supervision.folder()).isEqualTo(Path.of("runs/lj"));

    String[] train = {"train", "--config", "base", "--name", "lj", "--supervise", "--max-restarts=0"};
    CommandLine trainLine = new DefaultParser().parse(new TrainCommand().options(), Arrays.copyOfRange(train, 1, train.length));
    assertThat(new Supervision(trainLine, Arrays.asList(train)).childArguments(0))
        .containsExactly("train", "--config", "base", "--name", "lj");
    assertThat(new Supervision(trainLine, Arrays.asList(train)).folder()).isEqualTo(Path.of("runs/lj"));
  }

  @Test
  void aSupervisedCommandThatCannotBeReadStartsNothing() {
    CommandLineInterface valetts = new CommandLineInterface(new Terminal(
        new ByteArrayInputStream(input), new PrintStream(outBytes, true), new PrintStream(errBytes, true), () -> recorder));
    assertThat(valetts.status("resume", "--supervise")).isEqualTo(2);
    assertThat(err()).contains("takes the folder of the run");
    assertThat(valetts.status("resume", "runs/lj", "--supervise", "--max-restarts", "many")).isEqualTo(2);
    assertThat(err()).contains("found \"many\"");
    assertThat(valetts.status("train", "--supervise", "--stepz", "3")).isEqualTo(2);
    assertThat(err()).contains("did you mean --steps?");
    assertThat(valetts.status("checkpoint")).isEqualTo(2);
    assertThat(recorder.requests).isEmpty();
  }

  @Test
  void makesTheRunsPage() {
    assertThat(run("report", "runs/lj", "--out", "lj.html")).isEqualTo(ExitCode.DONE);
    assertThat(out()).contains("runs/lj > lj.html");
    assertThat(run("report")).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void advisesOnARun() {
    assertThat(run("advise", "runs/lj", "--lang", "en", "--offline")).isEqualTo(ExitCode.DONE);
    assertThat(recorder.requests).containsExactly(new AdviseRequest(Path.of("runs/lj"), "en", true));
    assertThat(out()).contains("# Healthy", "report-00000012.json", "source: rules");
    assertThat(run("advise")).isEqualTo(ExitCode.USAGE);
    assertThat(run("advise", "runs/lj", "--lang", "fr")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("the folder of a run", "pt, en or es");
  }

  @Test
  void approvesAndTakesBackChanges() {
    assertThat(run("approve", "runs/lj")).isEqualTo(ExitCode.DONE);
    assertThat(run("approve", "runs/lj", "c2")).isEqualTo(ExitCode.DONE);
    assertThat(run("approve", "runs/lj", "--revert", "c1")).isEqualTo(ExitCode.DONE);
    assertThat(recorder.requests).containsExactly(
        new ApproveRequest(Path.of("runs/lj"), null, false),
        new ApproveRequest(Path.of("runs/lj"), "c2", false),
        new ApproveRequest(Path.of("runs/lj"), "c1", true));
    assertThat(out()).contains("c2 proposed", "left for the run");
    assertThat(run("approve")).isEqualTo(ExitCode.USAGE);
    assertThat(run("approve", "runs/lj", "c2", "--revert", "c1")).isEqualTo(ExitCode.USAGE);
    assertThat(run("approve", "runs/lj", "c2", "c3")).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void letsReportsChangeARunOnlyWhenAsked() {
    run("train", "--demo", "--llm-apply");
    run("train", "--demo");
    assertThat(((TrainRequest) recorder.requests.get(0)).config().report().apply()).isTrue();
    assertThat(((TrainRequest) recorder.requests.get(1)).config().report().apply()).isFalse();
    run("resume", "runs/lj", "--llm-apply");
    assertThat(((ResumeRequest) recorder.requests.get(2)).overrides())
        .containsExactly(new ConfigOverride("report.apply", "true", "--llm-apply"));
  }

  @Test
  void suggestsTheNearestOption() {
    assertThat(run("train", "--demo", "--minute", "3")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("there is no option --minute; did you mean --minutes?");
  }

  @Test
  void printsTheVersion() {
    assertThat(run("--version")).isEqualTo(ExitCode.DONE);
    assertThat(out()).startsWith("ValeTTS ");
  }

  @Test
  void trainsTheDemoInEnglish() {
    assertThat(run("train", "--demo", "--minutes", "3", "--name", "first")).isEqualTo(ExitCode.DONE);
    TrainRequest request = (TrainRequest) recorder.requests.get(0);
    assertThat(request.demoLanguages()).containsExactly("en");
    assertThat(request.config().name()).isEqualTo("first");
    assertThat(request.config().training().maxMinutes()).isEqualTo(3);
    assertThat(request.config().data().sources()).isEmpty();
    assertThat(request.runDirectory()).isEqualTo(Path.of("runs", "first"));
    assertThat(out()).contains("Stopped at step 1,234", "2 h 03 min", "budget", "valetts.jar resume");
    assertThat(recorder.closed).isTrue();
  }

  @Test
  void offersTheLanguagesThatThereAreRecordingsFor() {
    for (String command : List.of("train", "prepare")) {
      run(command, "--help");
      assertThat(out().replaceAll("\\s+", " ")).contains(String.join(", ", DemoCorpus.languages()));
    }
  }

  @Test
  void replacesTheWholeBudget() {
    run("train", "--demo", "--steps", "200", "--languages", "en,es,fr,it,ru");
    TrainRequest request = (TrainRequest) recorder.requests.get(0);
    assertThat(request.config().training().maxSteps()).isEqualTo(200);
    assertThat(request.config().training().maxMinutes()).isNull();
    assertThat(request.demoLanguages()).containsExactly("en", "es", "fr", "it", "ru");
  }

  @Test
  void passesEveryTrainingOptionOn(@TempDir Path folder) {
    ExitCode code =
        run(
            "train", "--config", "tiny", "--data", folder + "::en".replace("::", ":ana:"), "--data", "other:bia",
            "--run", "elsewhere", "--device", "cuda:1", "--threads", "2", "--seed", "-5", "--max-bad", "2.5%",
            "--epochs", "9", "--set", "optimizer.learningRate=1e-3", "--set", "model.flow=plain");
    assertThat(err()).isEmpty();
    assertThat(code).isEqualTo(ExitCode.DONE);
    TrainRequest request = (TrainRequest) recorder.requests.get(0);
    assertThat(request.config().data().sources())
        .containsExactly(
            new DataConfig.Source(folder.toString(), "ana", "en"),
            new DataConfig.Source(Path.of("other").toAbsolutePath().toString(), "bia", null));
    assertThat(request.runDirectory()).isEqualTo(Path.of("elsewhere"));
    assertThat(request.config().training().device()).isEqualTo("cuda:1");
    assertThat(request.config().training().threads()).isEqualTo(2);
    assertThat(request.config().training().seed()).isEqualTo(-5);
    assertThat(request.config().training().maxEpochs()).isEqualTo(9);
    assertThat(request.config().training().maxSteps()).isNull();
    assertThat(request.config().data().maxBad()).isEqualTo(0.025);
    assertThat(request.config().optimizer().learningRate()).isEqualTo(0.001);
    assertThat(request.config().model().flow()).isEqualTo("plain");
    assertThat(request.demoLanguages()).isEmpty();
  }

  @Test
  void takesTheFoldersNameAsSpeaker(@TempDir Path folder) throws IOException {
    Path odd = Files.createDirectory(folder.resolve("a:b"));
    run("train", "--demo", "--data", odd.toString());
    TrainRequest request = (TrainRequest) recorder.requests.get(0);
    assertThat(request.config().data().sources()).containsExactly(new DataConfig.Source(odd.toString(), null, null));
    assertThat(request.demoLanguages()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "train | give either --config FILE or --demo",
        "train --demo --config tiny | give either --config FILE or --demo",
        "train --config tiny | names no recordings; add --data",
        "train --demo --languages en,pt | there are no demo recordings in \"pt\"",
        "train --demo --languages en,en | names a language twice",
        "train --config tiny --languages en | --languages chooses demo recordings",
        "train --demo extra | does not know what to do with \"extra\"",
        "train --demo --minutes | --minutes takes a value: N",
        "train --demo --minutes soon | training.maxMinutes takes a number or null, found text \"soon\"",
        "train --demo --steps -1 | training.maxSteps takes null (no limit) or more than 0, found -1",
        "train --demo --device gpu | training.device takes auto, cpu or cuda:N",
        "train --demo --max-bad half | data.maxBad takes a number, found text \"half\"",
        "train --demo --max-bad many% | data.maxBad takes a number, found text \"many%\"",
        "train --demo --name ../up | name takes letters, digits",
        "train --demo --set modle.flow=plain | modle is not a key; did you mean model?",
        "train --demo --set model.flow | expected key=value",
        "train --config none.yaml | there is no such file; the bundled ones are demo, tiny, base, multispeaker, bigvgan",
        "train --demo --data :x | --data takes DIR",
        "resume | takes the folder of a run",
        "synth --out x.wav --text hi | --voice is missing",
        "synth --voice v --text hi | --out is missing",
        "synth --voice v --out x | give either --text or --file",
        "synth --voice v --out x --text hi --speed 2 --length-scale 2 | one is the inverse",
        "synth --voice v --out x --text hi --speed 0 | --speed takes a number from 0.1",
        "synth --voice v --out x --text hi --noise NaN | --noise takes a number",
        "synth --voice v --out x --text hi --precision fp16 | --precision takes fp32 or bf16, found \"fp16\"",
        "synth --voice v --out x --text hi --seed x | --seed takes a whole number",
        "synth --voice v --out x --text hi --device tpu | --device takes auto",
        "info | give either a folder or --config",
        "info runs/demo --config tiny | give either a folder or --config",
        "info runs/demo --step | go with --config",
        "profile | give either --config FILE or --demo",
        "profile --run r --config tiny | --run takes the run's own configuration",
        "profile --config tiny --steps 0 | --steps takes a whole number from 1, not \"0\"",
        "profile --config tiny --steps many | --steps takes a whole number from 1",
        "profile --config tiny --warm-up -1 | --warm-up takes a whole number from 0",
        "profile --config tiny --seconds 0 | --seconds takes a number above 0",
        "profile --config tiny --seconds NaN | --seconds takes a number above 0",
        "profile --config tiny --seconds x | --seconds takes a number above 0",
        "profile --demo --seconds 2 | --seconds is the length of clips of noise",
        "profile --config tiny extra | does not know what to do with \"extra\"",
        "drive | takes status, push, pull, clean or login",
        "drive fetch | takes status, push, pull, clean or login; found \"fetch\"",
        "drive status | takes RUN_DIR or --location LOCATION",
        "drive push --location x | push takes the folder of a run",
        "drive login | login takes --client FILE",
        "drive pull --location x --keep 3 | --keep goes with drive clean",
        "drive clean --location x --keep 1 | --keep takes a whole number from 2",
        "drive status a b | does not know what to do with \"b\"",
        "resume --from-drive | takes the folder of a run",
        "doctor now | does not know what to do with \"now\""
      })
  void refusesWithOneSentence(String line, String message) {
    assertThat(run(line.split(" "))).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains(message).doesNotContain("\tat ");
    assertThat(recorder.requests).isEmpty();
  }

  @Test
  void resumesWithANewBudget() {
    assertThat(run("resume", "runs/demo", "--minutes", "20")).isEqualTo(ExitCode.DONE);
    ResumeRequest request = (ResumeRequest) recorder.requests.get(0);
    assertThat(request.runDirectory()).isEqualTo(Path.of("runs/demo"));
    assertThat(request.overrides())
        .extracting(override -> override.key() + "=" + override.value())
        .containsExactly("training.maxMinutes=20", "training.maxSteps=null", "training.maxEpochs=null");
  }

  @Test
  void resumesFromCopiesWithNoOtherArgument() {
    assertThat(run("resume", "--from-drive", "/content/drive/MyDrive/valetts/lj")).isEqualTo(ExitCode.DONE);
    assertThat(recorder.requests)
        .containsExactly(new ResumeRequest(null, List.of(), true, "/content/drive/MyDrive/valetts/lj"));
    recorder.requests.clear();
    assertThat(run("resume", "runs/lj", "--from-drive")).isEqualTo(ExitCode.DONE);
    assertThat(recorder.requests).containsExactly(new ResumeRequest(Path.of("runs/lj"), List.of(), true, null));
  }

  @Test
  void looksAfterCopies() {
    assertThat(run("drive", "clean", "--location", "/mnt/x", "--keep", "3", "--dry-run")).isEqualTo(ExitCode.DONE);
    assertThat(recorder.requests)
        .containsExactly(
            new DriveRequest(DriveRequest.Action.CLEAN, null, "/mnt/x", false, 3, true, null, null));
    assertThat(out()).isEqualTo("two copies\n");
    recorder.copiesAreGood = false;
    assertThat(run("drive", "status", "runs/lj", "--verify")).isEqualTo(ExitCode.STORAGE);
  }

  @Test
  void copiesCheckpointsWhereDriveSays() {
    run("train", "--demo", "--drive", "gdrive:valetts");
    TrainRequest request = (TrainRequest) recorder.requests.get(0);
    assertThat(request.config().storage().location()).isEqualTo("gdrive:valetts");
  }

  @Test
  void reportsAnInterruptedRunByItsExitCode() {
    recorder.interrupted = true;
    assertThat(run("resume", "runs/demo")).isEqualTo(ExitCode.INTERRUPTED);
  }

  @Test
  void speaksOneSentence() {
    assertThat(run("synth", "--voice", "runs/x", "--text", "Olá!", "--out", "o.wav", "--speed", "1.25", "--seed", "7"))
        .isEqualTo(ExitCode.DONE);
    assertThat(recorder.requests)
        .containsExactly(
            new SynthRequest(
                Path.of("runs/x"),
                List.of(new SynthRequest.Line("Olá!", Path.of("o.wav"))),
                null,
                null,
                null,
                null,
                0.8f,
                7,
                "auto",
                0));
    assertThat(out()).contains("o.wav  1.50 s of audio in 0.25 s  ola");
    assertThat(err()).contains("was not made for these symbols: ☃");
  }

  @Test
  void speaksEachLineOfAFileIntoAFileOfItsNumber(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("lines.txt"), "first\n\n  third  \n");
    run("synth", "--voice", "v", "--file", file.toString(), "--out", "samples", "--noise", "0", "--noise-w", "0.5",
        "--precision", "bf16");
    SynthRequest request = (SynthRequest) recorder.requests.get(0);
    assertThat(request.precision()).isEqualTo("bf16");
    assertThat(request.lines())
        .containsExactly(
            new SynthRequest.Line("first", Path.of("samples/0001.wav")),
            new SynthRequest.Line("third", Path.of("samples/0003.wav")));
    assertThat(request.noiseScale()).isZero();
    assertThat(request.durationNoiseScale()).isEqualTo(0.5f);
  }

  @Test
  void saysThatTheFileOfLinesIsMissing(@TempDir Path folder) {
    Path file = folder.resolve("none.txt");
    assertThat(run("synth", "--voice", "v", "--file", file.toString(), "--out", "samples")).isEqualTo(ExitCode.DISK);
    assertThat(err()).contains(file + ": there is no such file or folder");
  }

  @Test
  void preparesAndPrintsTheReport() {
    assertThat(run("prepare", "--demo", "--languages", "it")).isEqualTo(ExitCode.DONE);
    assertThat(((PrepareRequest) recorder.requests.get(0)).demoLanguages()).containsExactly("it");
    assertThat(out()).contains("all is well", "512 usable, 3 at fault, 4 left out for their length. With charts: report.html\nAs JSON: report.json");
  }

  @Test
  void endsPreparationOfUnfitDataWithItsExitCode() {
    recorder.refusal = "a run would not start\n  metadata.csv:2: ghost: no recording";
    assertThat(run("prepare", "--demo")).isEqualTo(ExitCode.DATA);
    assertThat(out()).contains("all is well");
    assertThat(err()).isEqualTo("valetts prepare: a run would not start\n");
  }

  @Test
  void importsAndPrintsWhatBecameOfTheWeights() {
    assertThat(run("import", "G.pth", "--out", "v", "--config", "c.json", "--add-speaker", "ana", "--add-speaker", "bia",
            "--text-front-end", "symbols", "--partial", "--set", "data.batchSize=4"))
        .isEqualTo(ExitCode.DONE);
    ImportRequest request = (ImportRequest) recorder.requests.get(0);
    assertThat(request.generator()).isEqualTo(Path.of("G.pth"));
    assertThat(request.config()).isEqualTo(Path.of("c.json"));
    assertThat(request.discriminator()).isNull();
    assertThat(request.addedSpeakers()).containsExactly("ana", "bia");
    assertThat(request.reading()).isEqualTo("symbols");
    assertThat(request.partial()).isTrue();
    assertThat(request.overrides()).extracting(ConfigOverride::key).containsExactly("data.batchSize");
    assertThat(out()).contains("skipped", "2,964,480  never used", "- assumed: window is 1024", "--init-from v");
    assertThat(run("import", "G.pth")).isEqualTo(ExitCode.USAGE);
    assertThat(run("import", "--out", "v")).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void exportsInTheOneFormatThereIs() {
    assertThat(run("export", "runs/ana", "--out", "a.safetensors", "--format", "safetensors", "--without-unused"))
        .isEqualTo(ExitCode.DONE);
    ExportRequest request = (ExportRequest) recorder.requests.get(0);
    assertThat(request.withUnused()).isFalse();
    assertThat(request.discriminators()).isFalse();
    assertThat(out()).contains("Made: a.safetensors");
    assertThat(run("export", "runs/ana", "--out", "a.onnx", "--format", "onnx")).isEqualTo(ExitCode.USAGE);
    assertThat(run("export", "runs/ana")).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void beginsWithAVoiceAndTakesItsConfiguration(@TempDir Path folder) {
    String data = folder + ":ana:en-us";
    assertThat(run("train", "--init-from", "v", "--data", data, "--name", "tuned", "--partial")).isEqualTo(ExitCode.DONE);
    assertThat(recorder.requests.get(0)).isEqualTo(Path.of("v"));
    TrainRequest request = (TrainRequest) recorder.requests.get(1);
    assertThat(request.initFrom()).isEqualTo(Path.of("v"));
    assertThat(request.partial()).isTrue();
    assertThat(request.runDirectory()).isEqualTo(Path.of("runs", "tuned"));
    assertThat(run("train", "--init-from", "v", "--data", data)).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("--name");
    assertThat(run("train", "--init-from", "v", "--name", "x")).isEqualTo(ExitCode.USAGE);
    assertThat(run("train", "--demo", "--partial")).isEqualTo(ExitCode.USAGE);
    assertThat(run("train", "--demo", "--init-from", "v")).isEqualTo(ExitCode.DONE);
    assertThat(((TrainRequest) recorder.requests.get(recorder.requests.size() - 1)).config().name()).isEqualTo("demo");
  }

  @Test
  void describesAConfigurationWithAStep() {
    assertThat(run("info", "--config", "base", "--step", "--set", "model.vocabularySize=178")).isEqualTo(ExitCode.DONE);
    InfoRequest request = (InfoRequest) recorder.requests.get(0);
    assertThat(request.step()).isTrue();
    assertThat(request.config().model().vocabularySize()).isEqualTo(178);
    assertThat(out()).contains("Parameters\n  flow  1,000\n");
  }

  @Test
  void profilesStepsAndPrintsTheirPartsMostTimeFirst() {
    assertThat(run("profile", "--config", "tiny", "--steps", "4", "--warm-up", "0", "--trace", "t.json", "--threads", "1"))
        .isEqualTo(ExitCode.DONE);
    ProfileRequest request = (ProfileRequest) recorder.requests.get(0);
    assertThat(request.config().training().threads()).isEqualTo(1);
    assertThat(request.steps()).isEqualTo(4);
    assertThat(request.warmUpSteps()).isZero();
    assertThat(request.clipSeconds()).isEqualTo(5);
    assertThat(request.trace()).isEqualTo(Path.of("t.json"));
    assertThat(request.quiet()).isFalse();
    assertThat(out())
        .contains("tiny on cpu, fp32, 2 threads: 4 steps, noise (1 before to warm up)")
        .containsSubsequence("decoder  backward", "75.0 %", "flow     forward", "25.0 %", "total    both", "100.0 %")
        .contains("A recorded step runs 1,234 kernels on the device.")
        .contains("Trace: t.json");
    assertThat(run("profile", "--run", "runs/demo", "--json", "--set", "data.batchSize=2")).isEqualTo(ExitCode.DONE);
    request = (ProfileRequest) recorder.requests.get(1);
    assertThat(request.runDirectory()).isEqualTo(Path.of("runs/demo"));
    assertThat(request.config()).isNull();
    assertThat(request.overrides()).hasSize(1);
    assertThat(request.quiet()).isTrue();
    assertThat(out()).contains("\"secondsPerStep\" : 1.5");
  }

  @Test
  void turnsAFailureIntoASentenceAndACode() {
    recorder.failure = EngineException.of(EngineStatus.INVALID_ARGUMENT, "device: there is no cuda:0");
    assertThat(run("train", "--demo", "--device", "cuda:0")).isEqualTo(ExitCode.ENGINE);
    assertThat(err()).isEqualTo("valetts train: device: there is no cuda:0\n");
    assertThat(recorder.closed).isTrue();
  }

  @Test
  void printsTheTraceWhenAsked() {
    recorder.failure = new IllegalStateException("a defect");
    assertThat(run("resume", "x", "--verbose")).isEqualTo(ExitCode.UNEXPECTED);
    assertThat(err()).contains("unexpected java.lang.IllegalStateException: a defect").contains("\tat ");
  }

  @Test
  void parityPrintsTheWorstRowFirstAndFailsOnABrokenLimit() {
    recorder.parityRows =
        List.of(
            new ParityResult.Row("stft", "mel", "forward", 2e-6, 1e-5, true),
            new ParityResult.Row("mas", "rand/path", "exact", 0.25, 0, false));

    assertThat(run("parity", "--fixtures", "recorded", "--device", "cpu", "--precision", "bf16", "--path", "plain"))
        .isEqualTo(ExitCode.ENGINE);

    assertThat(recorder.requests).containsExactly(new ParityRequest(Path.of("recorded"), "cpu", "bf16", true, 0));
    assertThat(out().indexOf("mas: rand/path")).isPositive().isLessThan(out().indexOf("stft: mel"));
    assertThat(out()).contains("BROKEN: 1 of 2 tensors").contains("not compared: vocos.safetensors");
  }

  @Test
  void parityHoldsOnlyIfSomethingWasCompared() {
    assertThat(run("parity", "--fixtures", "recorded")).isEqualTo(ExitCode.ENGINE);
    recorder.parityRows = List.of(new ParityResult.Row("stft", "mel", "forward", 2e-6, 1e-5, true));
    assertThat(run("parity", "--fixtures", "recorded")).isEqualTo(ExitCode.DONE);
  }

  @ParameterizedTest
  @CsvSource({"--precision, fp8, fp32", "--path, fast, plain", "--rows, -1, whole number", "--threads, two, whole number"})
  void parityRefusesWhatItDoesNotKnow(String option, String value, String named) {
    assertThat(run("parity", "--fixtures", "recorded", option, value)).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains(option).contains(named);
    assertThat(run("parity")).isEqualTo(ExitCode.USAGE);
    assertThat(err()).contains("--fixtures DIR is needed");
  }

  /** Stands in for the engine's side: remembers what it was asked. */
  private static final class Recorder implements Operations {
    final List<Object> requests = new ArrayList<>();
    RuntimeException failure;
    boolean interrupted;
    String refusal;
    boolean closed;
    boolean copiesAreGood = true;
    List<ParityResult.Row> parityRows = List.of();

    @Override
    public RunResult train(TrainRequest request) {
      return note(
          request, new RunResult(request.runDirectory(), 1234, 5, 7380, "budget", interrupted, Path.of("step-1234")));
    }

    @Override
    public RunResult resume(ResumeRequest request) {
      return note(
          request, new RunResult(request.runDirectory(), 1234, 5, 59.6, "budget", interrupted, Path.of("step-1234")));
    }

    @Override
    public CheckpointResult checkpoint(CheckpointRequest request) {
      return note(request, new CheckpointResult(Path.of("runs/lj/checkpoints/step-00001200"), 1200, 24_000_000));
    }

    @Override
    public SynthResult synthesize(SynthRequest request) {
      return note(
          request,
          new SynthResult(
              "ana",
              Path.of("step-1"),
              request.lines().stream()
                  .map(line -> new SynthResult.Spoken(line.output(), 1.5, 0.25, "ola", List.of("☃")))
                  .toList()));
    }

    @Override
    public ValettsConfig initialConfig(Path voice, List<ConfigOverride> overrides) {
      requests.add(voice);
      return ConfigLoader.bundled("tiny", overrides);
    }

    @Override
    public ImportResult importVoice(ImportRequest request) {
      return note(
          request,
          new ImportResult(
              request.output(),
              List.of(new ImportResult.Weights("skipped", "flow", 128, 2964480, "never used")),
              List.of("assumed: window is 1024"),
              List.of("ana", "bia")));
    }

    @Override
    public ExportResult exportVoice(ExportRequest request) {
      return note(request, new ExportResult(request.voice(), List.of(request.output())));
    }

    @Override
    public PrepareResult prepare(PrepareRequest request) {
      return note(request, new PrepareResult("all is well\n", Path.of("report.json"), Path.of("report.html"), 512, 3, 4, refusal));
    }

    @Override
    public StatusResult status(Path runDirectory) {
      return new StatusResult(
          runDirectory.getFileName().toString(), runDirectory.toString(), StatusResult.State.RUNNING, "", 1200, 3,
          "30 minutes", 0.4, 1080.0, 720, 2, "cpu", null,
          List.of(new StatusResult.Loss("loss/g/total", 31.5, -0.02), new StatusResult.Loss("loss/g/kl", null, null)),
          Map.of("perf/it_s", 2.0, "gpu/0/power_w", 300.0),
          new StatusResult.Validation(1000, Map.of("val/mel_l1", 0.5)),
          new StatusResult.Validation(800, Map.of("val/mel_l1", 0.4)),
          new StatusResult.SavedState(1000, "checkpoints/step-00001000", 24_000_000, null), 2,
          List.of(new StatusResult.Warning(7, "mind the gap")), 9, 0, 0);
    }

    @Override
    public Path report(Path runDirectory, Path out) {
      return Path.of(runDirectory + " > " + out);
    }

    @Override
    public AdviseResult advise(AdviseRequest request) {
      return note(request, new AdviseResult(Path.of("reports", "report-00000012.json"), "# Healthy\n", "rules"));
    }

    @Override
    public ApproveResult approve(ApproveRequest request) {
      return note(request, new ApproveResult(List.of("c2 proposed"), "left for the run"));
    }

    @Override
    public InfoResult info(InfoRequest request) {
      return note(
          request,
          new InfoResult(
              List.of(new InfoResult.Section("Parameters", List.of(new InfoResult.Row("flow", "1,000"))))));
    }

    @Override
    public ProfileResult profile(ProfileRequest request) {
      return note(
          request,
          new ProfileResult("tiny", "cpu", "fp32", 2, "noise", 1, request.steps(),
              List.of(
                  new ProfileResult.Row("decoder", "backward", 1.5, 0.75, 20, 60, 3e6),
                  new ProfileResult.Row("flow", "forward", 0.5, 0.25, 1, 30, 1e6)),
              new ProfileResult.Row("total", "both", 2, 1, 21, 90, 4e6),
              1234,
              request.trace() == null ? null : request.trace().toString()));
    }

    @Override
    public ParityResult parity(ParityRequest request) {
      return note(request, new ParityResult(parityRows, List.of("vocos.safetensors")));
    }

    @Override
    public DriveResult drive(DriveRequest request) {
      return note(request, new DriveResult(List.of("two copies"), copiesAreGood));
    }

    @Override
    public void close() {
      closed = true;
    }

    private <T> T note(Object request, T result) {
      requests.add(request);
      if (failure != null) {
        throw failure;
      }
      return result;
    }
  }
}
