package ai.valetts.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class Utf8ArgumentsTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void leavesAloneWhatTheLocaleCouldRead() {
    String[] arguments = {"text", "São"};
    assertThat(Utf8Arguments.recover(arguments)).isSameAs(arguments);
  }

  @Test
  void takesTheLastWordsOfTheCommand() {
    String[] lost = {"text", "", "S\ufffd\ufffdo 2"};
    assertThat(Utf8Arguments.recover(lost, bytes("java\0-jar\0x.jar\0text\0\0São 2\0"))).containsExactly("text", "", "São 2");
  }

  @Test
  void keepsWhatItHasWhereTheCommandIsCutShort() {
    String[] lost = {"text", "\ufffd"};
    assertThat(Utf8Arguments.recover(lost, bytes("text\0"))).isSameAs(lost);
    assertThat(Utf8Arguments.recover(lost, bytes(""))).isSameAs(lost);
  }
}
