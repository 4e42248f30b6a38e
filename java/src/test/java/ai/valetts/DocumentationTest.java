package ai.valetts;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.data.corpus.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class DocumentationTest {
  private static final Path CHECKOUT = Path.of(System.getProperty("valetts.checkout", "..")).toAbsolutePath().normalize();
  private static final Pattern LINK = Pattern.compile("]\\(([^)#]+)\\)");

  @Test
  void linksOnlyToWhatIsThere() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path document : documents()) {
      Matcher link = LINK.matcher(Files.readString(document));
      while (link.find()) {
        if (!link.group(1).startsWith("https://") && !Files.exists(document.resolveSibling(link.group(1)))) {
          broken.add(document + " links to " + link.group(1));
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void leadsToEveryDocument() throws IOException {
    StringBuilder all = new StringBuilder();
    for (Path document : documents()) {
      all.append(Files.readString(document));
    }
    for (Path document : documents()) {
      String name = document.getFileName().toString();
      assertThat(name.equals("README.md") || all.toString().contains(name + ")")).as(document.toString()).isTrue();
    }
  }

  @Test
  void startsWithTheTwoCommandsInOrder() throws IOException {
    String readme = Files.readString(CHECKOUT.resolve("README.md"));
    Matcher block = Pattern.compile("```sh\\n(.*?)```", Pattern.DOTALL).matcher(readme);
    assertThat(block.find()).isTrue();
    assertThat(block.group(1).lines().map(line -> line.split("\\s+#")[0]))
        .containsExactly("./scripts/quickstart.sh", "./scripts/test.sh");
    assertThat(CHECKOUT.resolve("scripts/quickstart.sh")).isExecutable();
    assertThat(CHECKOUT.resolve("scripts/test.sh")).isExecutable();
  }

  @Test
  void explainsEveryKindOfFinding() throws IOException {
    String text = Files.readString(CHECKOUT.resolve("docs/data.md"));
    List<String> rows =
        Pattern.compile("(?m)^\\| `([a-z-]+)` \\| (at fault|left out|remark) \\|").matcher(text).results()
            .map(row -> row.group(1) + " " + row.group(2))
            .toList();
    List<String> kinds =
        Arrays.stream(Finding.Kind.values())
            .map(kind -> kind.slug() + " " + kind.weight().name().toLowerCase(Locale.ROOT).replace("bad", "at fault"))
            .map(kind -> kind.replace('_', ' '))
            .toList();
    assertThat(rows).containsExactlyElementsOf(kinds);
  }

  private static List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>(List.of(CHECKOUT.resolve("README.md")));
    try (Stream<Path> files = Files.walk(CHECKOUT.resolve("docs"))) {
      files.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
    }
    return documents;
  }
}
