package ai.valetts.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class NoticedProgressTest {
  private static final long SECOND = 1_000_000_000L;

  private final List<String> lines = new ArrayList<>();
  private long now;
  private final NoticedProgress progress = new NoticedProgress(lines::add, () -> now);

  @Test
  void saysEveryFiveSecondsHowFarItIs() {
    for (int i = 1; i <= 2000; i++) {
      now += SECOND / 100;
      progress.step("recordings", i, 2000);
    }
    assertThat(lines).containsExactly("recordings: 501 of 2,000", "recordings: 1,001 of 2,000", "recordings: 1,501 of 2,000");
  }

  @Test
  void staysSilentAboutQuickWork() {
    for (int i = 1; i <= 100; i++) {
      progress.step("texts", i, 100);
    }
    progress.notice("done");
    assertThat(lines).containsExactly("done");
  }
}
