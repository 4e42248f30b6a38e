package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.app.EndToEnd.Ended;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stranger's program: compiled against the jar alone, it trains two steps and speaks. */
@Tag("e2e")
class EmbeddingEndToEndTest {
  private static final String PROGRAM =
      """
      import ai.valetts.app.RunResult;
      import ai.valetts.app.SynthRequest;
      import ai.valetts.app.SynthResult;
      import ai.valetts.app.TrainRequest;
      import ai.valetts.app.ValeTts;
      import ai.valetts.config.ConfigLoader;
      import ai.valetts.config.ConfigOverride;
      import ai.valetts.config.ValettsConfig;
      import ai.valetts.event.StepCompleted;
      import java.nio.file.Path;
      import java.util.List;

      public final class Embedding {
        public static void main(String[] arguments) {
          ValettsConfig config = ConfigLoader.bundled("tiny", List.of(
              ConfigOverride.parse("data.sources=[{folder: ana, speaker: ana}]"),
              ConfigOverride.parse("text.frontEnd=characters"),
              ConfigOverride.parse("training.maxSteps=2")));
          try (ValeTts valetts = ValeTts.embedded(System.out::println, any -> List.of(event -> {
            if (event instanceof StepCompleted step) {
              System.out.println("embedded step " + step.step());
            }
          }))) {
            RunResult run = valetts.train(new TrainRequest(config, Path.of("run"), List.of()));
            SynthResult speech = valetts.synthesize(new SynthRequest(
                run.runDirectory(), List.of(new SynthRequest.Line("bad dog", Path.of("speech.wav"))),
                null, null, null, null, null, 7, "cpu", 1));
            System.out.println("spoke " + speech.spoken().get(0).audioSeconds() + " s");
          }
        }
      }
      """;

  @TempDir private Path root;

  @Test
  void compilesAgainstTheJarAloneTrainsAndSpeaks() throws Exception {
    ToySpeech.folder(root.resolve("ana"), 6, 1);
    Path source = Files.writeString(root.resolve("Embedding.java"), PROGRAM);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter problems = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options = List.of("-cp", EndToEnd.jar().toString(), "-d", root.toString(), "--release", "17");
      boolean compiled =
          compiler.getTask(problems, files, null, options, null, files.getJavaFileObjects(source)).call();
      assertThat(compiled).as(problems.toString()).isTrue();
    }
    Path log = root.resolve("log");
    String classPath = EndToEnd.jar() + java.io.File.pathSeparator + root;
    Ended ended = EndToEnd.await(EndToEnd.start(root, log, List.of("-Xmx512m", "-cp", classPath, "Embedding")), log);
    assertThat(ended.output()).contains("embedded step 1", "embedded step 2", "spoke ");
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    assertThat(Files.size(root.resolve("speech.wav"))).isGreaterThan(1000);
  }
}
