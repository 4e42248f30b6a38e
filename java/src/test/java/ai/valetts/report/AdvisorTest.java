package ai.valetts.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.config.ReportConfig;
import ai.valetts.event.Progress;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdvisorTest {
  private static final String RATE = "optimizer.learningRate";

  @TempDir Path folder;

  private final List<String> requests = new ArrayList<>();
  private final List<String> notices = new ArrayList<>();
  private final Map<String, Double> configured = new HashMap<>(Map.of(RATE, 2e-4, "optimizer.melWeight", 45.0));
  private ChangeJournal journal;
  private ChangeInbox inbox;
  private final Clock clock = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);

  @BeforeEach
  void open() {
    journal = new ChangeJournal(folder.resolve("changes.jsonl"));
    inbox = new ChangeInbox(folder.resolve("inbox"));
  }

  private Advisor advisor(boolean apply) {
    ReportConfig config = new ReportConfig("en", null, apply, ReportConfig.DEFAULT.changes());
    return new Advisor(
        folder, config, configured, journal, inbox,
        (key, value, reason) -> requests.add(key + "=" + value), clock, notices::add);
  }

  private static Report report(Report.Suggestion... suggestions) {
    return new Report(
        10, "2026-01-01T00:00:00Z", "en", "a/model", "s", "s", List.of(), List.of(), List.of(suggestions));
  }

  private static Report.Suggestion suggest(String key, double low, double high, double confidence) {
    return new Report.Suggestion(key, 1.0, low, high, confidence, "because.");
  }

  private static void validated(Advisor advisor, long step) throws IOException {
    advisor.on(new ValidationCompleted(step, Map.of(), List.of(), List.of(), 1));
  }

  private static void stepped(Advisor advisor, long step) throws IOException {
    advisor.on(new StepCompleted(step, 0, Map.of(), new Progress(1, 1, 1, 1, 0, 0, "")));
  }

  @Test
  void changesNothingUnlessAllowed() throws IOException {
    Advisor advisor = advisor(false);
    validated(advisor, 10);
    advisor.consider(report(suggest(RATE, 1.7e-4, 1.9e-4, 1)));
    assertThat(requests).isEmpty();
    assertThat(folder.resolve("changes.jsonl")).doesNotExist();
  }

  @Test
  void makesASmallChangeAtOnce() throws IOException {
    Advisor advisor = advisor(true);
    validated(advisor, 10);
    advisor.consider(report(suggest(RATE, 1.6e-4, 1.6e-4, 0.9)));
    assertThat(requests).containsExactly(RATE + "=1.6E-4");
    assertThat(notices).hasSize(1).first().asString().contains("c1 is made", "-20 %", "--revert c1");
    ChangeJournal.Line line = journal.change("c1").orElseThrow();
    assertThat(line.state()).isEqualTo(ChangeJournal.State.MADE);
    assertThat(line.step()).isEqualTo(10);
    assertThat(line.source()).isEqualTo("a/model");
  }

  @Test
  void makesAtMostOneChangeBetweenTwoValidations() throws IOException {
    Advisor advisor = advisor(true);
    validated(advisor, 10);
    Report report = report(suggest(RATE, 1.6e-4, 1.6e-4, 0.9), suggest("optimizer.melWeight", 50, 50, 0.8));
    advisor.consider(report);
    advisor.consider(report);
    assertThat(requests).containsExactly(RATE + "=1.6E-4");
    validated(advisor, 20);
    advisor.consider(report(suggest("optimizer.melWeight", 50, 50, 0.8)));
    assertThat(requests).hasSize(2);
  }

  @Test
  void waitsForAValidationAfterAResume() throws IOException {
    Advisor advisor = advisor(true);
    advisor.restore(100);
    advisor.consider(report(suggest(RATE, 1.6e-4, 1.6e-4, 0.9)));
    assertThat(requests).isEmpty();
  }

  @Test
  void leavesALargeChangeToAPerson() throws IOException {
    Advisor advisor = advisor(true);
    validated(advisor, 10);
    advisor.consider(report(suggest(RATE, 1e-4, 1.2e-4, 0.9)));
    assertThat(requests).isEmpty();
    assertThat(notices).hasSize(1).first().asString().contains(
        "c1 is proposed and waits", "because. To make it: valetts approve " + folder + " c1").doesNotContain("..");
    inbox.put(new ChangeInbox.Decision("c1", false));
    stepped(advisor, 37);
    assertThat(requests).hasSize(1);
    assertThat(journal.inForce().get(RATE)).isCloseTo(Math.sqrt(1.2e-8), within(1e-12));
    assertThat(journal.change("c1").orElseThrow().step()).isEqualTo(37);
    assertThat(folder.resolve("inbox")).isEmptyDirectory();
  }

  @Test
  void staysInsideRangeAndFactor() throws IOException {
    Advisor advisor = advisor(true);
    validated(advisor, 10);
    advisor.consider(report(suggest(RATE, 1e-9, 1e-9, 0.9)));
    assertThat(journal.change("c1").orElseThrow().to()).isEqualTo(1e-4);
    validated(advisor, 20);
    advisor.consider(report(suggest("optimizer.melWeight", 1e6, 1e6, 0.9)));
    assertThat(journal.change("c2").orElseThrow().to()).isEqualTo(67.5);
  }

  @Test
  void aLimitOfTheGradientIsDrawnIntoItsRangeAndOneThatIsOffStaysOff() throws IOException {
    Advisor off = advisor(true);
    validated(off, 10);
    off.consider(report(suggest("optimizer.gradientClip", 50, 50, 0.9)));
    assertThat(journal.lines()).isEmpty();

    configured.put("optimizer.gradientClip", 400.0);
    Advisor on = advisor(true);
    validated(on, 20);
    on.consider(report(suggest("optimizer.gradientClip", 50, 50, 0.9)));
    assertThat(journal.change("c1").orElseThrow().to()).isEqualTo(200);
    validated(on, 30);
    on.consider(report(suggest("optimizer.gradientClip", 360, 360, 0.9)));
    assertThat(requests).containsExactly("optimizer.gradientClip=360.0");
  }

  @Test
  void leavesEverythingElseAlone() throws IOException {
    Advisor advisor = advisor(true);
    validated(advisor, 10);
    advisor.consider(report(
        suggest("training.maxSteps", 1, 2, 1),
        suggest("optimizer.klWeight", 0.9, 0.9, 1),
        suggest(RATE, 1.6e-4, 1.6e-4, 0.49),
        suggest(RATE, -1, 1, 1),
        suggest(RATE, 2e-4, 1e-4, 1),
        suggest(RATE, 2e-4, 2.001e-4, 1)));
    assertThat(requests).isEmpty();
    assertThat(journal.lines()).isEmpty();
  }

  @Test
  void takesAChangeBack() throws IOException {
    Advisor advisor = advisor(true);
    validated(advisor, 10);
    advisor.consider(report(suggest(RATE, 1.6e-4, 1.6e-4, 0.9)));
    inbox.put(new ChangeInbox.Decision("c1", true));
    advisor.restore(10);
    assertThat(requests).containsExactly(RATE + "=1.6E-4", RATE + "=1.6E-4", RATE + "=2.0E-4");
    assertThat(journal.inForce()).containsEntry(RATE, 2e-4);
    inbox.put(new ChangeInbox.Decision("c1", true));
    advisor.restore(10);
    assertThat(notices).last().asString().contains("c1 is reverted already");
  }

  @Test
  void outlivesTheProcess() throws IOException {
    Advisor before = advisor(true);
    validated(before, 10);
    before.consider(report(suggest(RATE, 1.6e-4, 1.6e-4, 0.9)));
    requests.clear();
    Files.writeString(folder.resolve("changes.jsonl"), "{\"id\":\"c2\",\"sta", StandardOpenOption.APPEND);
    Advisor after = advisor(true);
    after.restore(5);
    assertThat(requests).containsExactly(RATE + "=1.6E-4");
    validated(after, 20);
    after.consider(report(suggest(RATE, 1.3e-4, 1.3e-4, 0.9)));
    assertThat(journal.change("c2").orElseThrow().from()).isEqualTo(1.6e-4);
  }

  @Test
  void replacesAnOlderProposalOfTheSameKey() throws IOException {
    Advisor advisor = advisor(true);
    validated(advisor, 10);
    advisor.consider(report(suggest(RATE, 1e-4, 1e-4, 0.9)));
    validated(advisor, 20);
    advisor.consider(report(suggest(RATE, 1e-4, 1e-4, 0.9)));
    assertThat(journal.changes()).hasSize(1);
    validated(advisor, 30);
    advisor.consider(report(suggest(RATE, 3e-4, 3e-4, 0.9)));
    assertThat(journal.changes()).extracting(ChangeJournal.Line::state)
        .containsExactly(ChangeJournal.State.REPLACED, ChangeJournal.State.PROPOSED);
    inbox.put(new ChangeInbox.Decision("c1", false));
    advisor.restore(30);
    assertThat(requests).isEmpty();
  }

  @Test
  void doesNotApproveWhatHasLeftTheRange() throws IOException {
    Advisor advisor = advisor(true);
    validated(advisor, 10);
    advisor.consider(report(suggest(RATE, 4e-4, 4e-4, 0.9)));
    validated(advisor, 20);
    journal.append(new ChangeJournal.Line(
        "c2", ChangeJournal.State.MADE, 20, "t", RATE, 2e-4, 1.5e-4, "rules", "r"));
    inbox.put(new ChangeInbox.Decision("c1", false));
    advisor.restore(20);
    assertThat(requests).containsExactly(RATE + "=1.5E-4");
    assertThat(notices).last().asString().contains("no longer inside report.changes");
  }

  @Test
  void readsOnlyDecisionsInTheInbox() throws IOException {
    Files.createDirectories(folder.resolve("inbox"));
    Files.writeString(folder.resolve("inbox/stop"), "");
    Files.writeString(folder.resolve("inbox/approve-c9"), "");
    Advisor advisor = advisor(true);
    advisor.restore(0);
    assertThat(notices).hasSize(1).first().asString().contains("c9, which there is not");
    assertThat(folder.resolve("inbox/stop")).exists();
    assertThat(folder.resolve("inbox/approve-c9")).doesNotExist();
  }
}
