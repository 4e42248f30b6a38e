package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpeakersTest {
  @TempDir Path folder;

  @Test
  void numbersNamesInTheirOrder() {
    Speakers speakers = Speakers.of(List.of("zoe", "ana", "zoe", "Émile", "053"));
    assertThat(speakers.names()).containsExactly("053", "ana", "zoe", "Émile");
    assertThat(speakers.idOf("ana")).isEqualTo(1);
    assertThat(speakers.nameOf(3)).isEqualTo("Émile");
  }

  @Test
  void namesThoseThereAre() {
    assertThatThrownBy(() -> Speakers.of(List.of("ana", "bia")).idOf("cid"))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("\"cid\"")
        .hasMessageContaining("ana, bia");
  }

  @Test
  void survivesWritingAndReading() throws IOException {
    Path file = folder.resolve("speakers.json");
    Speakers speakers = Speakers.of(List.of("zoe", "ana"));
    speakers.write(file);
    assertThat(Speakers.read(file)).isEqualTo(speakers);
    for (String content : List.of("", "{}", "null", "[]", "{\"speakers\":[]}", "{\"speakers\":3}")) {
      Files.writeString(file, content);
      assertThatThrownBy(() -> Speakers.read(file)).as(content).isInstanceOf(DataException.class);
    }
  }
}
