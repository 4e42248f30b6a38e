package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DemoTranscriptsTest {
  private static DemoTranscripts parse(String... lines) {
    return DemoTranscripts.parse(List.of(lines));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      value = {
        "hello: Hello.~Hello.",
        "letters/equals: equals [=]~equals",
        "letters/space: space [ ]~space",
        "letters/dash: Дефис. [-]~Дефис.",
        "conf: conf: Нажмите 1~Нажмите 1",
        "dir: ... for ...~for...",
        "a: on / off, up/down~on, off, up, down",
        "q: a polite \"don't call\" menu~a polite don't call menu",
        "r: клавишу «решётка».~клавишу решётка.",
        "k: k~k"
      })
  void cleansTexts(String line, String expected) {
    assertThat(parse(line).texts()).hasSize(1).containsValue(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "beep: [this is a tone]",
        "silence/1: (1 second of silence)",
        "join: <beep ascending>",
        "spy: IAX (note: does not say \"2\")",
        "vm: il [suo] messaggio",
        "help: press * to toggle",
        "help: press # now",
        "is:",
        "dots: ...",
        "broken: pi\ufffd tardi",
        "no separator here"
      })
  void leavesOutWhatIsNotCertainlyHeard(String line) {
    DemoTranscripts transcripts = parse(line);
    assertThat(transcripts.texts()).isEmpty();
    assertThat(transcripts.leftOut().values()).containsExactly(1);
  }

  @Test
  void skipsCommentsAndBlankLinesSilently() {
    DemoTranscripts transcripts = parse("\ufeff; comment", "", "  ", "a.wav: text", "b :  more  text ");
    assertThat(transcripts.texts()).containsEntry("a", "text").containsEntry("b", "more text").hasSize(2);
    assertThat(transcripts.leftOut()).isEmpty();
  }

  @Test
  void trustsNeitherOfTwoTexts() {
    assertThat(parse("digits/0: cero", "digits/0: diez").texts()).isEmpty();
    assertThat(parse("digits/0: cero", "digits/0: cero").texts()).hasSize(1);
  }
}
