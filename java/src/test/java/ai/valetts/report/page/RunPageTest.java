package ai.valetts.report.page;

import static org.assertj.core.api.Assertions.assertThat;

import ai.valetts.event.AudioSample;
import ai.valetts.event.CheckpointSaved;
import ai.valetts.event.HeatMap;
import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.event.RunEnded;
import ai.valetts.event.RunEvent;
import ai.valetts.event.RunListener;
import ai.valetts.event.RunStarted;
import ai.valetts.event.StepCompleted;
import ai.valetts.event.ValidationCompleted;
import ai.valetts.monitor.MediaFiles;
import ai.valetts.monitor.MetricsJournal;
import ai.valetts.monitor.RunRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class RunPageTest {
  private static final String EVIL = "<script>alert(1)</script>&\"'<img src=x onerror=alert(2)>";

  @TempDir private Path root;

  @Test
  void showsARunOnEveryScreenWithoutAComplaintOrARequest() throws Exception {
    Path run = root.resolve("run");
    train(run, 3000, 500);
    reports(run, "Vai bem.");
    Path page = made(run);
    try (Chromium chromium = Chromium.open(Files.createDirectories(root.resolve("profile")))) {
      for (int width : new int[] {390, 1280}) {
        chromium.open(page, width, 900, width == 390);
        assertThat(chromium.evaluate("document.documentElement.scrollWidth").asInt()).isLessThanOrEqualTo(width);
        assertThat(chromium.evaluate("document.querySelectorAll('.chart canvas').length").asInt()).isEqualTo(11);
        assertThat(chromium.evaluate("[...document.querySelectorAll('.chart canvas')].every(c => c.width > 250 &&"
            + " new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size > 20)").asBoolean()).isTrue();
        assertThat(chromium.evaluate("[...document.querySelectorAll('.legend')].every(l => /\\d/.test(l.textContent))")
            .asBoolean()).isTrue();
        assertThat(chromium.evaluate("[...document.images].every(i => i.naturalWidth > 1)").asBoolean()).isTrue();
        assertThat(chromium.evaluate("(async () => { const a = document.querySelector('audio'); await a.play();"
            + " await new Promise(r => setTimeout(r, 400)); return a.duration > 0.9 && a.currentTime > 0; })()").asBoolean())
            .isTrue();
        assertThat(chromium.evaluate("(() => { const b = document.querySelector('.sound'); const s = b.querySelector('input');"
            + " const before = b.querySelector('audio').src; s.value = 0; s.dispatchEvent(new Event('input'));"
            + " return b.querySelector('.at').textContent + (before !== b.querySelector('audio').src); })()").asText())
            .isEqualTo("passo 500true");
        String folder = System.getProperty("valetts.screenshots");
        if (folder != null) {
          Files.write(Path.of(folder, "run-page-" + width + ".png"), chromium.screenshot());
        }
      }
      assertThat(chromium.complaints).isEmpty();
      assertThat(chromium.requests).containsOnly(page.toUri().toString());
    }
  }

  @Test
  void speaksTheLanguageOfTheReports() throws Exception {
    Set<String> known = new PageTexts("pt").translated();
    assertThat(new PageTexts("es").translated()).isEqualTo(known);
    for (Chart chart : Chart.ALL) {
      assertThat(known).containsAll(
          Stream.of(chart.title(), chart.section(), chart.hint())
              .filter(text -> !text.isEmpty() && !List.of("KL", "Mel L1").contains(text)).toList());
    }
    for (String language : List.of("pt", "en", "es")) {
      Path run = root.resolve(language);
      write(run, new RunStarted("ana", 0, false, "cpu", "report:\n  language: " + language + "\n"), step(1234, 1), validation(1234));
      reports(run, "Vai bem.");
      String page = Files.readString(made(run));
      String body = page.substring(page.indexOf("<body>"), page.indexOf("<script"));
      assertThat(page).contains("<html lang=\"" + language + "\">");
      if (language.equals("en")) {
        assertThat(body).contains("Held-out clips", "step 1,234", "Alignment of text and speech", "0.53");
      } else {
        assertThat(known.stream().filter(text -> text.length() > 12 && !text.contains("clips"))).noneMatch(body::contains);
        assertThat(body).contains("1.234", "0,53").doesNotContain("1,234");
      }
    }
    assertThat(PageTexts.of("text:\n  language: en\nreport:\n  llm:\n    ask: [gpt]\n  language: es\n").language()).isEqualTo("es");
    assertThat(PageTexts.of("report: null\ntext:\n  language: en\n").language()).isEqualTo("pt");
    assertThat(PageTexts.of("report:\n  language: fr\n").language()).isEqualTo("pt");
  }

  @Test
  void saysLimitsAndEndsInTheLanguageOfTheReports() {
    PageTexts portuguese = new PageTexts("pt");
    assertThat(portuguese.outcome("reached its limit of 45 steps")).isEqualTo("chegou ao seu limite de 45 passos");
    assertThat(portuguese.outcome("1.50 minutes")).isEqualTo("1,50 minutos");
    assertThat(portuguese.outcome("0.5 hours of this session")).isEqualTo("0,5 horas desta sessão");
    assertThat(portuguese.outcome("2 epochs")).isEqualTo("2 épocas");
    assertThat(portuguese.outcome("12.5 USD")).isEqualTo("12,5 USD");
    assertThat(portuguese.outcome("the core stumbled over 3 steps")).isEqualTo("the core stumbled over 3 steps");
    assertThat(new PageTexts("es").outcome("reached its limit of 45 steps")).isEqualTo("llegó a su límite de 45 pasos");
    assertThat(new PageTexts("en").outcome("reached its limit of 1.50 minutes")).isEqualTo("reached its limit of 1.50 minutes");
  }

  @Test
  void showsAPortugueseRunsLimitInPortuguese() throws Exception {
    Path run = root.resolve("run");
    write(run, new RunStarted("ana", 0, false, "cpu", "report:\n  language: pt\n"),
        new StepCompleted(45, 0, Map.of(), new Progress(1, 1, 1, 1, 1, 0, "45 steps")),
        new RunEnded(45, "reached its limit of 45 steps", false));
    String page = Files.readString(made(run));
    assertThat(page).contains("<br>chegou ao seu limite de 45 passos</li>", "100 % de 45 passos").doesNotContain("45 steps");
  }

  @Test
  void showsWhatTheRunCosts() throws Exception {
    Path run = root.resolve("run");
    write(run, new RunStarted("ana", 0, false, "cpu", "report:\n  language: en\n"),
        new StepCompleted(10, 0, Map.of("cost/usd", 1.25, "cost/usd_at_end", 20.5, "cost/session_hours_left", 3.5),
            new Progress(1, 1, 1, 1, 0.1, 1, "20 steps")));
    String page = Files.readString(made(run));
    assertThat(page)
        .contains("<strong>1.25</strong><span>USD so far", "<strong>20.5</strong><span>USD at the end of the run", "Cost, USD")
        .doesNotContain("compute units so far", "Cost, compute units");
  }

  @Test
  void makesNoMarkupOfForeignText() throws Exception {
    Path run = root.resolve("run");
    write(run,
        new RunStarted(EVIL, 0, false, EVIL, EVIL, Map.of(EVIL, EVIL)),
        step(10, 1),
        Notice.warning(EVIL),
        new ValidationCompleted(10, Map.of("val/mel_l1", 0.5, EVIL, 1.0),
            List.of(new AudioSample("sample/" + EVIL + "/0", new float[800], 8000, EVIL)), List.of(), 1),
        new RunEnded(10, EVIL, true));
    reports(run, EVIL.replace("\"", "\\\""));
    Path page = made(run);
    String text = Files.readString(page);
    String body = text.substring(text.indexOf("<body>"), text.indexOf("<script type=\"application/json\""));
    assertThat(body).doesNotContain("<script", "<img src=x").contains("&lt;script&gt;alert(1)");
    assertThat(text).doesNotContain("alert(1)</script>");
    try (Chromium chromium = Chromium.open(Files.createDirectories(root.resolve("profile")))) {
      chromium.open(page, 390, 800, false);
      assertThat(chromium.evaluate("document.documentElement.scrollWidth").asInt()).isLessThanOrEqualTo(390);
      assertThat(chromium.complaints).isEmpty();
    }
  }

  @Test
  void aRunWithNothingToShowIsAPageToo() throws Exception {
    Path run = Files.createDirectories(root.resolve("empty"));
    assertThat(Files.readString(made(run))).contains("<title>empty</title>", "passo 0").doesNotContain("http://", "url(");
    write(run, new RunStarted("ana", 0, false, "cpu", ""), step(10, Double.NaN));
    Files.createDirectories(run.resolve("reports"));
    Files.writeString(run.resolve("reports/report-00000010.json"), "{\"step\":1");
    Files.writeString(run.resolve("reports/report-00000020.json"), "{\"problems\":3,\"losses\":[7],\"suggestions\":[{}]}");
    Files.writeString(run.resolve("data-report.json"), "[]");
    Path page = made(run);
    try (Chromium chromium = Chromium.open(Files.createDirectories(root.resolve("profile")))) {
      chromium.open(page, 390, 800, false);
      assertThat(chromium.complaints).isEmpty();
    }
  }

  @Test
  void staysWithinItsBudgetAndKeepsTheFirstAndTheNewest() throws Exception {
    Path run = root.resolve("run");
    train(run, 600, 10);
    RunRecord record = RunRecord.read(run.resolve("metrics.jsonl"));
    PageMedia media = new PageMedia(run, record.validations(), 300_000);
    PageMedia.Track sample = media.tracks().stream().filter(track -> track.tag().equals("sample/ana/0")).findFirst().orElseThrow();
    assertThat(sample.dataUris().keySet()).contains(600L).hasSizeBetween(2, 24);
    long encoded = media.tracks().stream().flatMap(track -> track.dataUris().values().stream()).mapToLong(String::length).sum();
    assertThat(encoded).isLessThan(300_000 * 4 / 3 + 10_000);
    PageMedia.Track recording = media.tracks().stream().filter(track -> track.tag().equals("gt/audio")).findFirst().orElseThrow();
    assertThat(recording.dataUris()).hasSize(1);
    assertThat(new PageMedia(run, record.validations(), 1000).tracks()).isEmpty();
    assertThat(new PageMedia(run, record.validations(), 1000).leftOut()).isEqualTo(5);
    assertThat(PageMedia.spread(10, 3)).containsExactly(0, 5, 9);
    assertThat(PageMedia.spread(1, 3)).containsExactly(0);
  }

  @Test
  void aFileOutsideOfTheRunIsNotTakenIn() throws Exception {
    Path run = Files.createDirectories(root.resolve("run"));
    Files.writeString(root.resolve("secret.wav"), "a secret");
    Files.writeString(run.resolve("metrics.jsonl"),
        "{\"kind\":\"validation\",\"step\":1,\"scalars\":{},\"media\":[{\"tag\":\"gen/audio\",\"file\":\"../secret.wav\","
            + "\"sampleRateHz\":8000,\"samples\":8}]}\n");
    RunRecord record = RunRecord.read(run.resolve("metrics.jsonl"));
    assertThat(new PageMedia(run, record.validations(), 1_000_000).tracks()).isEmpty();
  }

  @Test
  void theRunMakesItAtValidationsAndAtTheEndAndRestsBetween() throws Exception {
    Path run = root.resolve("run");
    Path page = run.resolve("report.html");
    long[] now = {1};
    MetricsJournal journal = new MetricsJournal(run.resolve("metrics.jsonl"), 1);
    Files.createDirectories(run);
    RunPageListener listener = new RunPageListener(run, run.resolve("metrics.jsonl"), page, () -> now[0] += 1_000_000_000L);
    for (RunEvent event : List.of(new RunStarted("ana", 0, false, "cpu", ""), step(1, 1), validation(1))) {
      journal.on(event);
      listener.on(event);
    }
    assertThat(page).content().contains("class=\"state running\"");
    Files.delete(page);
    listener.on(validation(2));
    assertThat(page).doesNotExist();
    now[0] += 60_000_000_000L;
    listener.on(validation(3));
    assertThat(page).exists();
    journal.on(new RunEnded(3, "reached its limit", false));
    listener.close();
    journal.close();
    assertThat(page).content().contains("class=\"state ended\"", "reached its limit");
  }

  private Path made(Path run) throws IOException {
    Path page = root.resolve("pages/" + run.getFileName() + ".html");
    RunPage.write(run, RunRecord.read(run.resolve("metrics.jsonl")), true, page);
    return page;
  }

  private static void write(Path run, RunEvent... events) throws IOException {
    Files.createDirectories(run);
    try (MetricsJournal journal = new MetricsJournal(run.resolve("metrics.jsonl"), 1)) {
      List<RunListener> listeners = List.of(new MediaFiles(run), journal);
      for (RunEvent event : events) {
        for (RunListener listener : listeners) {
          listener.on(event);
        }
      }
    }
  }

  private static void train(Path run, long steps, long validateEvery) throws IOException {
    List<RunEvent> events = new ArrayList<>();
    events.add(new RunStarted("ana", 0, false, "cuda:0", "name: ana", Map.of("Java", "17", "processor", "a ".repeat(60))));
    for (long i = 1; i <= steps; i++) {
      events.add(step(i, i == 1200 ? Double.NaN : 40 + 60 / Math.sqrt(i) + Math.sin(i * 12.9898) * 5));
      if (i % validateEvery == 0) {
        events.add(validation(i));
      }
      if (i == 1500) {
        events.add(new CheckpointSaved(i, run.resolve("checkpoints/step-1500"), 1000));
        events.add(Notice.warning("Step 1500 was skipped: loss/g/kl is not finite. Utterances: a-very-long-name_"
            + "x".repeat(90) + "."));
        events.add(new RunStarted("ana", i, true, "cuda:0", "name: ana", Map.of("Java", "17")));
      }
    }
    write(run, events.toArray(RunEvent[]::new));
  }

  private static StepCompleted step(long step, double loss) {
    Map<String, Double> scalars = new LinkedHashMap<>();
    for (String tag : List.of("loss/g/mel_l1", "loss/g/kl", "loss/g/gen", "loss/d/total", "grad_norm_g", "grad_norm_d")) {
      scalars.put(tag, loss + tag.length());
    }
    scalars.put("learning_rate", 2e-4 * Math.pow(0.9999, step));
    scalars.put("perf/it_s", 3 + Math.sin(step) / 5);
    scalars.put("gpu/0/utilization_percent", 93.0);
    scalars.put("gpu/1/utilization_percent", 80 + step % 7.0);
    scalars.put("gpu/0/power_w", 300.0);
    scalars.put("machine/memory_gib", 1.5);
    return new StepCompleted(step, 0, scalars, new Progress(3, 48, 2.2, step / 3.0, step / 6000.0, 1000, "6,000 steps"));
  }

  private static ValidationCompleted validation(long step) {
    float[] wave = new float[8000];
    for (int i = 0; i < wave.length; i++) {
      wave[i] = (float) Math.sin(i * (0.1 + step * 1e-5)) / 3;
    }
    float[] mel = new float[80 * 120];
    for (int i = 0; i < mel.length; i++) {
      mel[i] = (float) Math.sin(i / 80.0 + step) * (i % 120);
    }
    return new ValidationCompleted(
        step,
        Map.of("val/mel_l1", 0.5 + 40.0 / (step + 100), "val/kl", 2 + 100.0 / step),
        List.of(
            new AudioSample("gt/audio", wave, 8000, "A gravação."),
            new AudioSample("gen/audio", wave, 8000, "A gravação."),
            new AudioSample("sample/ana/0", wave, 8000, "Uma frase.")),
        List.of(new HeatMap("gen/mel", 80, 120, mel), new HeatMap("all/attn", 20, 120, new float[20 * 120])),
        1.5);
  }

  private static void reports(Path run, String words) throws IOException {
    Files.createDirectories(run.resolve("reports"));
    Files.writeString(run.resolve("data-report.json"),
        "{\"training\":120,\"validation\":4,\"hours\":1.25,\"textFrontEnd\":\"espeak-ng 1.51\",\"bad\":[],"
            + "\"speakers\":[{\"name\":\"ana\",\"clips\":60,\"minutes\":30},{\"name\":\"rui\",\"clips\":60,\"minutes\":45}]}");
    for (int step : new int[] {1000, 3000}) {
      Files.writeString(run.resolve("reports/report-%08d.json".formatted(step)), """
          {"step":%d,"createdAt":"2026-01-01T00:00:00Z","language":"pt","source":"rules","state":"%s","summary":"%s",
           "losses":[{"name":"loss/g/kl","now":"%s","forBeginners":"%s"}],
           "problems":[{"id":"x","severity":"warning","title":"%s","evidence":"%s"},
                       {"id":"y","severity":"critical","title":"KL explode","evidence":"3 → 90"}],
           "suggestions":[{"key":"optimizer.learningRate","current":2.0E-4,"low":1.0E-5,"high":1.0E-4,"confidence":0.7,
                           "reason":"%s"}]}
          """.formatted(step, words, words, words, words, words, words, words));
    }
  }
}
