package ai.valetts.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ConsoleCountTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final ConsoleCount count = new ConsoleCount(new PrintStream(bytes, true, StandardCharsets.UTF_8));

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void showsOneBarForEachPieceOfWork() {
    for (int i = 1; i <= 50; i++) {
      count.step("texts", i, 50);
    }
    for (int i = 1; i <= 7; i++) {
      count.step("recordings", i, 7);
    }
    count.close();
    assertThat(text()).contains("texts", "50/50", "recordings", "7/7");
  }

  @Test
  void printsLinesWithAndWithoutABar() {
    count.line("before");
    count.step("texts", 1, 2);
    count.line("between");
    count.close();
    count.close();
    assertThat(text()).startsWith("before\n").contains("\u001b[2Kbetween\n");
  }
}
