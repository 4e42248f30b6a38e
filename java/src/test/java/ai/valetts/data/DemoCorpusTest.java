package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.valetts.config.DataConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fetching with stand-ins for apt-get and dpkg, so that no network is needed. */
class DemoCorpusTest {
  @TempDir Path temp;

  private Path programs;
  private Path calls;
  private final List<String> notices = new ArrayList<>();

  @BeforeEach
  void makePrograms() throws IOException {
    programs = Files.createDirectories(temp.resolve("bin"));
    calls = temp.resolve("calls.txt");
    Path content = temp.resolve("content");
    Path sounds = Files.createDirectories(content.resolve("usr/share/asterisk/sounds/en_US_f_Allison/digits"));
    Files.write(sounds.resolve("1.g722"), new byte[400]);
    Files.write(sounds.resolve("1F.g722"), new byte[400]);
    Files.write(sounds.resolveSibling("hello.g722"), new byte[800]);
    Files.write(sounds.resolveSibling("beep.g722"), new byte[80]);
    Files.write(sounds.resolveSibling("void.g722"), new byte[0]);
    Path documents = Files.createDirectories(content.resolve("usr/share/doc/asterisk-core-sounds-en"));
    Files.writeString(documents.resolve("copyright"), "Recorded by: a voice\n");
    try (OutputStream out =
        new GZIPOutputStream(Files.newOutputStream(documents.resolve("core-sounds-en.txt.gz")))) {
      String transcripts =
          """
          ; comment

          hello.wav: Hello, world.
          digits/1: one
          digits/1f: una
          beep: [tone]
          void: nothing
          gone: lost
          """;
      out.write(transcripts.getBytes(StandardCharsets.UTF_8));
    }
    program(
        "apt-get",
        "echo apt-get \"$@\" >> "
            + calls
            + "; case \"$*\" in *download*) touch \"$PWD/a_1.deb\" \"$PWD/b_1.deb\";; esac");
    program("dpkg", "echo dpkg >> " + calls + "; mkdir -p \"$3\"; cp -r " + content + "/. \"$3\"");
  }

  private void program(String name, String script) throws IOException {
    Path file = Files.writeString(programs.resolve(name), "#!/bin/sh\n" + script + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private List<DataConfig.Source> fetch() {
    return new DemoCorpus(temp.resolve("cache/demo"), notices::add, programs.toString()).fetch(List.of("en"));
  }

  @Test
  void makesAnLjSpeechFolderWithCredits() throws IOException {
    List<DataConfig.Source> sources = fetch();
    Path folder = temp.resolve("cache/demo/en");
    assertThat(sources).containsExactly(new DataConfig.Source(folder.toString(), "en-allison", "en-us"));
    assertThat(Files.readAllLines(folder.resolve("metadata.csv")))
        .containsExactlyInAnyOrder("digits_1|one", "digits_1f|una", "hello|Hello, world.");
    assertThat(folder.resolve("wavs/hello.g722")).hasSize(800);
    assertThat(folder.resolve("CREDITS")).content().contains("Recorded by: a voice", "a_1.deb", "Changes:");
    assertThat(notices).anySatisfy(n -> assertThat(n).contains("3 demo clips", "no recording=1", "empty recording=1"));
    try (Stream<Path> files = Files.list(temp.resolve("cache/demo"))) {
      assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder("en", "lock");
    }
  }

  @Test
  void doesNothingTheSecondTime() throws IOException {
    fetch();
    Files.delete(calls);
    notices.clear();
    assertThat(fetch()).hasSize(1);
    assertThat(calls).doesNotExist();
    assertThat(notices).isEmpty();
  }

  @Test
  void fetchesAgainWhatWasInterrupted() throws IOException {
    fetch();
    Files.delete(temp.resolve("cache/demo/en/complete"));
    Files.delete(temp.resolve("cache/demo/en/metadata.csv"));
    fetch();
    assertThat(temp.resolve("cache/demo/en/metadata.csv")).exists();
  }

  @Test
  void saysPlainlyThatThereIsNoPackageClient() throws IOException {
    Files.delete(programs.resolve("apt-get"));
    assertThatThrownBy(this::fetch)
        .isInstanceOf(DataException.class)
        .hasMessageContaining("this machine has no apt-get")
        .hasMessageContaining("metadata.csv")
        .hasMessageContaining("data.sources");
    assertThat(temp.resolve("cache/demo/en")).doesNotExist();
  }

  @Test
  void passesOnWhatTheClientSaid() throws IOException {
    program("apt-get", "echo 'E: Unable to locate package'; exit 100");
    assertThatThrownBy(this::fetch)
        .isInstanceOf(DataException.class)
        .hasMessageContaining("sudo apt-get update")
        .hasMessageContaining("E: Unable to locate package");
    try (Stream<Path> files = Files.list(temp.resolve("cache/demo"))) {
      assertThat(files.map(file -> file.getFileName().toString())).containsExactly("lock");
    }
  }

  @Test
  void saysWhatToDoWhereTheCacheIsNoFolder() throws IOException {
    Path cache = Files.writeString(temp.resolve("cache"), "a file where the folder should be");
    assertThatThrownBy(this::fetch)
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("the demo recordings cannot be kept in " + cache)
        .hasMessageContaining("move what is there out of the way, or set VALETTS_CACHE");
  }

  @Test
  void namesTheLanguagesThereAre() {
    DemoCorpus corpus = new DemoCorpus(temp.resolve("cache/demo"), notices::add, programs.toString());
    assertThatThrownBy(() -> corpus.fetch(List.of("en", "xx")))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("\"xx\"")
        .hasMessageContaining("en, es, fr, it, ru");
    assertThat(temp.resolve("cache")).doesNotExist();
  }
}
