package ai.valetts.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class EventBusTest {
  private final List<RunEvent> heard = Collections.synchronizedList(new ArrayList<>());
  private final List<String> problems = Collections.synchronizedList(new ArrayList<>());

  @Test
  void deliversEverythingInOrderBeforeClosing() {
    try (EventBus bus = new EventBus(List.of(heard::add), 1000, problems::add)) {
      for (int i = 1; i <= 100; i++) {
        bus.publish(step(i));
      }
      bus.publish(new RunEnded(100, "done", false));
    }
    assertThat(heard).hasSize(101);
    assertThat(heard.get(99)).isEqualTo(step(100));
    assertThat(heard.get(100)).isInstanceOf(RunEnded.class);
    assertThat(problems).isEmpty();
  }

  @Test
  void dropsAndCountsStepsButNeverCheckpointsWhenAListenerIsSlow() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    CountDownLatch first = new CountDownLatch(1);
    RunListener slow = event -> {
      first.countDown();
      await(release);
      heard.add(event);
    };
    EventBus bus = new EventBus(List.of(slow), 10, problems::add);
    bus.publish(step(0));
    first.await();
    for (int i = 1; i <= 500; i++) {
      bus.publish(step(i));
      bus.publish(new CheckpointSaved(i, Path.of("c"), 1));
    }
    assertThat(bus.dropped()).isGreaterThan(400);
    release.countDown();
    bus.close();
    assertThat(heard.stream().filter(CheckpointSaved.class::isInstance)).hasSize(500);
    assertThat(problems).singleElement().asString().contains(bus.dropped() + " steps were not shown");
  }

  @Test
  void aFailingListenerIsReportedOnceAndDisturbsNobody() {
    RunListener failing = new RunListener() {
      @Override
      public void on(RunEvent event) throws IOException {
        throw new IOException("disk is full");
      }
    };
    try (EventBus bus = new EventBus(List.of(failing, heard::add), 100, problems::add)) {
      bus.publish(step(1));
      bus.publish(step(2));
    }
    assertThat(heard).filteredOn(StepCompleted.class::isInstance).hasSize(2);
    assertThat(heard).filteredOn(Notice.class::isInstance).singleElement().satisfies(event -> {
      assertThat(((Notice) event).level()).isEqualTo(Notice.Level.WARNING);
      assertThat(((Notice) event).text())
          .startsWith("A listener of the run failed, the run goes on: ").contains("disk is full").contains("next resume");
    });
    assertThat(problems).isEmpty();
  }

  @Test
  void theOthersHearOfAFailureAfterTheEventAndInWords() {
    RunListener failing = new RunListener() {
      @Override
      public void on(RunEvent event) {
        throw new IllegalStateException("x");
      }

      @Override
      public String name() {
        return "The diary";
      }
    };
    try (EventBus bus = new EventBus(
        List.of(failing, heard::add), 100, problems::add, event -> event, failure -> "it is " + failure.getMessage())) {
      bus.publish(step(1));
    }
    assertThat(heard.get(0)).isEqualTo(step(1));
    assertThat(((Notice) heard.get(1)).text()).startsWith("The diary failed, the run goes on: it is x.");
  }

  @Test
  void whenNobodyTakesTheWarningItIsAProblem() {
    RunListener picky = event -> {
      if (event instanceof Notice) {
        throw new IOException("no words here");
      }
    };
    RunListener failing = event -> {
      throw new IOException("disk is full");
    };
    try (EventBus bus = new EventBus(List.of(failing, picky), 100, problems::add)) {
      bus.publish(step(1));
      bus.publish(step(2));
    }
    assertThat(problems).singleElement().asString().contains("no words here");
  }

  @Test
  void aFailureOnBeingClosedIsToldToThoseStillOpen() {
    RunListener failing = new RunListener() {
      @Override
      public void on(RunEvent event) {}

      @Override
      public void close() throws IOException {
        throw new IOException("the last line is lost");
      }
    };
    List<RunEvent> before = Collections.synchronizedList(new ArrayList<>());
    new EventBus(List.of(before::add, failing, heard::add), 100, problems::add).close();
    assertThat(before).isEmpty();
    assertThat(heard).singleElement().asString().contains("the last line is lost");
    assertThat(problems).singleElement().asString().contains("the last line is lost");
  }

  @Test
  void closesListenersOnceAndIgnoresLateEvents() {
    int[] closed = {0};
    RunListener listener = new RunListener() {
      @Override
      public void on(RunEvent event) {
        heard.add(event);
      }

      @Override
      public void close() {
        closed[0]++;
      }
    };
    EventBus bus = new EventBus(List.of(listener), 100, problems::add);
    bus.close();
    bus.close();
    bus.publish(step(1));
    assertThat(closed[0]).isEqualTo(1);
    assertThat(heard).isEmpty();
  }

  private static StepCompleted step(long step) {
    return new StepCompleted(step, 0, Map.of(), new Progress(0, 0, 0, 0, 0, 0, ""));
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
