package ai.valetts.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ConfigDocumentationTest {

  @Test
  void documentsEveryKeyOnceAndNoOther() throws IOException {
    String text = Files.readString(Path.of(System.getProperty("valetts.checkout", "..")).resolve("docs/config.md"));
    List<String> documented = new ArrayList<>();
    Matcher row = Pattern.compile("(?m)^\\| `([A-Za-z0-9.\\[\\]]+)` \\|").matcher(text);
    while (row.find()) {
      documented.add(row.group(1));
    }
    assertThat(documented).containsExactlyElementsOf(ConfigKeys.all());
  }
}
