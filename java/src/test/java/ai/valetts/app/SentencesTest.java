package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SentencesTest {
  @Test
  void splitsAtSentenceEnds() {
    assertThat(split("Bom dia! Como vai?  Tudo bem.", 100)).containsExactly("Bom dia!", "Como vai?", "Tudo bem.");
    assertThat(split("São 3.5 litros.", 100)).containsExactly("São 3.5 litros.");
    assertThat(split("   ", 100)).isEmpty();
  }

  @Test
  void cutsALongSentenceAtACommaNearItsMiddleAndElseAtASpace() {
    assertThat(split("one two three four, five six seven eight", 25))
        .containsExactly("one two three four,", "five six seven eight");
    assertThat(split("one two three four five six", 15)).allMatch(piece -> piece.length() <= 15);
  }

  @Test
  void aSingleEndlessWordIsLeftWhole() {
    String word = "a".repeat(50);
    assertThat(split(word, 10)).containsExactly(word);
  }

  private static List<String> split(String text, int longest) {
    return Sentences.split(text, "pt-br", piece -> piece.length() <= longest);
  }
}
