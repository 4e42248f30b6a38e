package ai.valetts.report;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.event.Progress;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ReporterTest {
  private final BlockingQueue<String> made = new LinkedBlockingQueue<>();
  private Instant now = Instant.EPOCH;

  private final Clock clock =
      new Clock() {
        @Override
        public Instant instant() {
          return now;
        }

        @Override
        public ZoneId getZone() {
          return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
          return this;
        }
      };

  private final Reporter.Work work =
      new Reporter.Work() {
        @Override
        public void prepare() {
          made.add("prepared");
        }

        @Override
        public void report(boolean askModel) {
          made.add(askModel ? "model" : "rules");
        }
      };

  private static StepCompleted step(long step, int epoch) {
    return new StepCompleted(step, epoch, Map.of(), new Progress(1, 1, 1, 1, 0, 0, ""));
  }

  private static ValidationCompleted validation() {
    return new ValidationCompleted(1, Map.of(), List.of(), List.of(), 1);
  }

  private String next() throws InterruptedException {
    return made.poll(30, TimeUnit.SECONDS);
  }

  @Test
  void reportsByRulesAtValidationsAndTheEnd() throws InterruptedException {
    Reporter reporter = new Reporter(work, Reporter.Triggers.NONE, clock, Duration.ofSeconds(30));
    reporter.on(new RunStarted("x", 0, false, "cpu", ""));
    assertThat(next()).isEqualTo("prepared");
    reporter.on(step(1, 0));
    reporter.on(step(2, 1));
    now = now.plusSeconds(100_000);
    reporter.on(step(3, 2));
    reporter.on(validation());
    assertThat(next()).isEqualTo("rules");
    reporter.on(new RunEnded(3, "done", false));
    reporter.close();
    assertThat(made).containsExactly("rules");
  }

  @Test
  void asksAModelEveryFewEpochsAndMinutes() throws InterruptedException {
    Reporter reporter = new Reporter(work, new Reporter.Triggers(2, 10.0, false), clock, Duration.ofSeconds(30));
    reporter.on(new RunStarted("x", 0, false, "cpu", ""));
    assertThat(next()).isEqualTo("prepared");
    for (int epoch : List.of(0, 1, 1, 2, 2)) {
      reporter.on(step(1, epoch));
    }
    assertThat(next()).isEqualTo("model");
    now = now.plusSeconds(599);
    reporter.on(step(1, 2));
    now = now.plusSeconds(1);
    reporter.on(step(1, 2));
    assertThat(next()).isEqualTo("model");
    reporter.close();
    assertThat(made).isEmpty();
  }

  @Test
  void neverHoldsTheBusUpAndJoinsOccasionsThatItMisses() throws InterruptedException {
    CountDownLatch slow = new CountDownLatch(1);
    Reporter.Work held =
        new Reporter.Work() {
          @Override
          public void prepare() {}

          @Override
          public void report(boolean askModel) throws InterruptedException {
            made.add("begun");
            slow.await();
            work.report(askModel);
          }
        };
    Reporter reporter = new Reporter(held, new Reporter.Triggers(1, null, false), clock, Duration.ofSeconds(30));
    reporter.on(validation());
    assertThat(next()).isEqualTo("begun");
    for (int epoch = 0; epoch < 100; epoch++) {
      reporter.on(step(epoch, epoch));
      reporter.on(validation());
    }
    slow.countDown();
    reporter.close();
    assertThat(made).containsExactly("rules", "begun", "model");
  }

  @Test
  void asksAStuckReportToEndWithTheRun() throws InterruptedException {
    Reporter.Work stuck =
        new Reporter.Work() {
          @Override
          public void prepare() {}

          @Override
          public void report(boolean askModel) throws InterruptedException {
            made.add(askModel ? "model" : "rules");
            if (askModel) {
              try {
                new CountDownLatch(1).await();
              } catch (InterruptedException e) {
                made.add("interrupted");
                Thread.currentThread().interrupt();
              }
            }
          }
        };
    Reporter reporter = new Reporter(stuck, new Reporter.Triggers(null, null, true), clock, Duration.ofMillis(300));
    reporter.on(validation());
    assertThat(next()).isEqualTo("model");
    reporter.on(new RunEnded(3, "done", false));
    reporter.close();
    assertThat(made).containsExactly("interrupted", "rules");
  }
}
