package ai.valetts.report.page;

import ai.valetts.event.Notice;
import ai.valetts.event.Progress;
import ai.valetts.monitor.RunRecord;
import ai.valetts.monitor.Series;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;

/**
 * A run on one HTML page that carries everything it shows: curves, sounds, pictures, the reports in words, data,
 * configuration and events. It asks nothing of any network, which it also forbids itself, and fits a phone. Curves are
 * drawn by uPlot, whose script is part of the page. Every text of the run is escaped.
 */
public final class RunPage {
  /** Sounds and pictures before they are encoded, which makes them a third larger. */
  static final long MEDIA_BUDGET_BYTES = 9_000_000;

  private static final int MAX_EVENTS = 200;
  private static final int MAX_REPORTS = 12;
  private static final MathContext DIGITS = new MathContext(5);
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm").withZone(ZoneOffset.UTC);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path run;
  private final RunRecord record;
  private final boolean going;
  private final PageTexts texts;
  private final StringBuilder html = new StringBuilder(1 << 16);

  private RunPage(Path run, RunRecord record, boolean going) {
    this.run = run.toAbsolutePath().normalize();
    this.record = record;
    this.going = going;
    this.texts = PageTexts.of(record.session().map(RunRecord.Session::configText).orElse(""));
  }

  /**
   * Writes the page; a reader finds the old one or the new one.
   *
   * @param run folder of the run
   * @param record as it is to be shown
   * @param going whether a process trains the run
   */
  public static void write(Path run, RunRecord record, boolean going, Path file) throws IOException {
    String page = new RunPage(run, record, going).page();
    Path whole = file.toAbsolutePath();
    Files.createDirectories(whole.getParent());
    Path draft = whole.resolveSibling(whole.getFileName() + ".tmp");
    Files.writeString(draft, page);
    Files.move(draft, whole, StandardCopyOption.REPLACE_EXISTING);
  }

  private String page() throws IOException {
    PageMedia media = new PageMedia(run, record.validations(), MEDIA_BUDGET_BYTES);
    String name = name();
    html.append("<!DOCTYPE html>\n<html lang=\"").append(texts.language()).append("\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
            + " script-src 'unsafe-inline'; img-src data:; media-src data:\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n")
        .append("<title>").append(Html.escaped(name)).append("</title>\n<style>\n")
        .append(library("uPlot.min.css")).append('\n').append(resource("run-page.css"))
        .append("</style>\n</head>\n<body>\n");
    header(name);
    figures();
    reports();
    charts();
    sounds(media);
    pictures(media);
    events();
    data();
    environment();
    configuration();
    html.append("<footer>").append(texts.get("Made by ValeTTS at")).append(' ').append(TIME.format(Instant.now())).append(" UTC. ")
        .append(texts.get("Curves: uPlot, MIT licence,")).append(" © Leon Sorokin.</footer>\n");
    html.append("<script type=\"application/json\" id=\"run\">").append(Html.inScript(numbers(media).toString()))
        .append("</script>\n<script>\n").append(library("uPlot.iife.min.js")).append("\n</script>\n<script>\n")
        .append(resource("run-page.js")).append("</script>\n</body>\n</html>\n");
    return html.toString();
  }

  private String name() {
    return record.session().map(RunRecord.Session::run).filter(text -> !text.isEmpty())
        .orElse(run.getFileName().toString());
  }

  private void header(String name) {
    RunRecord.End end = record.session().map(RunRecord.Session::end).orElse(null);
    String state = going ? "running" : end == null ? "interrupted" : end.failed() ? "failed" : "ended";
    html.append("<header>\n<h1>").append(Html.escaped(name)).append(" <span class=\"state ").append(state).append("\">")
        .append(texts.get(state)).append("</span></h1>\n<p class=\"soft\">").append(texts.get("step")).append(' ').append(count(record.step()));
    record.lastStep().ifPresent(step -> html.append(" · ").append(texts.get("epoch")).append(' ').append(step.epoch()).append(" · ")
        .append(duration(step.progress().trainedSeconds())).append(' ').append(texts.get("of training")));
    record.session().map(RunRecord.Session::device).filter(device -> !device.isEmpty())
        .ifPresent(device -> html.append(" · ").append(texts.get("on")).append(' ').append(Html.escaped(device)));
    record.lastTime().ifPresent(time -> html.append(" · ").append(texts.get("written")).append(' ').append(TIME.format(time)).append(" UTC"));
    html.append("</p>\n");
    if (!going && end != null && !end.reason().isEmpty()) {
      html.append("<p>").append(Html.escaped(texts.outcome(end.reason()))).append("</p>\n");
    }
    record.lastStep().map(RunRecord.Step::progress).filter(progress -> !progress.limit().isEmpty())
        .ifPresent(this::progress);
    html.append("</header>\n");
  }

  private void progress(Progress progress) {
    double share = Double.isFinite(progress.fraction()) ? Math.max(0, Math.min(1, progress.fraction())) : 0;
    html.append("<div class=\"progress\" role=\"img\" aria-label=\"").append(Math.round(share * 100))
        .append(" %\"><i style=\"width:").append(String.format(Locale.ROOT, "%.1f", share * 100))
        .append("%\"></i></div>\n<p class=\"soft\">").append(Math.round(share * 100)).append(" % ").append(texts.get("of")).append(' ')
        .append(Html.escaped(texts.outcome(progress.limit())));
    if (going && Double.isFinite(progress.secondsToGo())) {
      html.append(", ").append(duration(progress.secondsToGo())).append(' ').append(texts.get("to go"));
    }
    html.append("</p>\n");
  }

  private void figures() {
    html.append("<div class=\"figures\">\n");
    record.lastStep().ifPresent(step -> figure("mel L1 in training", step.scalars().get("loss/g/mel_l1")));
    List<RunRecord.Validation> validations = record.validations();
    if (!validations.isEmpty()) {
      figure("mel L1, held out", validations.get(validations.size() - 1).scalars().get("val/mel_l1"));
      validations.stream()
          .filter(validation -> validation.scalars().containsKey("val/mel_l1"))
          .min(Comparator.comparingDouble(validation -> validation.scalars().get("val/mel_l1")))
          .ifPresent(best -> figure(texts.get("best, at step") + " " + count(best.step()), best.scalars().get("val/mel_l1")));
    }
    record.lastStep().ifPresent(step -> {
      figure("steps per second", step.scalars().get("perf/it_s"));
      figure("hours of audio per hour", step.scalars().get("perf/audio_hours_per_hour"));
      figure("USD so far", step.scalars().get("cost/usd"));
      figure("USD at the end of the run", step.scalars().get("cost/usd_at_end"));
      figure("compute units so far", step.scalars().get("cost/units"));
      figure("compute units at the end of the run", step.scalars().get("cost/units_at_end"));
      figure("hours left of the session", going ? step.scalars().get("cost/session_hours_left") : null);
    });
    Series gpu = record.series().get("gpu/0/utilization_percent");
    if (gpu != null) {
      figure("GPU utilization, %", gpu.last());
    }
    text("checkpoints saved", count(record.checkpoints().size()));
    long warnings = record.remarks().stream().filter(remark -> remark.level() == Notice.Level.WARNING).count();
    text("warnings", count(warnings));
    html.append("</div>\n");
  }

  private void figure(String name, Double value) {
    if (value != null) {
      text(name, Double.isFinite(value) ? texts.number(new BigDecimal(value).round(new MathContext(3)).stripTrailingZeros()) : "—");
    }
  }

  private void text(String name, String value) {
    html.append("<div><strong>").append(Html.escaped(value)).append("</strong><span>").append(Html.escaped(texts.get(name)))
        .append("</span></div>\n");
  }

  private void reports() {
    List<JsonNode> reports = newestReports();
    if (reports.isEmpty()) {
      return;
    }
    html.append("<section><h2>").append(texts.get("In words")).append("</h2>\n");
    report(reports.get(0));
    if (reports.size() > 1) {
      html.append("<details><summary>").append(texts.get("Earlier reports")).append("</summary>\n");
      for (JsonNode earlier : reports.subList(1, reports.size())) {
        html.append("<p lang=\"").append(Html.escaped(language(earlier))).append("\"><b>").append(texts.get("step")).append(' ')
            .append(count(earlier.path("step").asLong())).append(": ").append(words(earlier, "state")).append("</b> ")
            .append(words(earlier, "summary")).append("</p>\n");
      }
      html.append("</details>\n");
    }
    html.append("</section>\n");
  }

  private void report(JsonNode report) {
    html.append("<div lang=\"").append(Html.escaped(language(report))).append("\">\n<p class=\"soft\">").append(texts.get("step")).append(' ')
        .append(count(report.path("step").asLong())).append(" · ");
    html.append(report.path("source").asText().equals("rules") ? texts.get("by rules") : words(report, "source")).append("</p>\n");
    html.append("<p class=\"verdict\">").append(words(report, "state")).append("</p>\n<p>")
        .append(words(report, "summary")).append("</p>\n");
    for (JsonNode problem : list(report, "problems")) {
      String severity = problem.path("severity").asText();
      String level = severity.equals("critical") || severity.equals("warning") ? severity : "info";
      html.append("<div class=\"problem ").append(level).append("\"><b>").append(words(problem, "title"))
          .append("</b><p>").append(words(problem, "evidence")).append("</p></div>\n");
    }
    for (JsonNode suggestion : list(report, "suggestions")) {
      html.append("<div class=\"problem\"><code>").append(words(suggestion, "key")).append("</code> ")
          .append(number(suggestion.path("current"))).append(" → ").append(number(suggestion.path("low"))).append(" … ")
          .append(number(suggestion.path("high")));
      if (suggestion.path("confidence").isNumber()) {
        html.append(" <span class=\"soft\">").append(Math.round(suggestion.path("confidence").asDouble() * 100))
            .append(" % ").append(texts.get("sure")).append("</span>");
      }
      html.append("<p>").append(words(suggestion, "reason")).append("</p></div>\n");
    }
    if (!list(report, "losses").isEmpty()) {
      html.append("<details><summary>").append(texts.get("What each loss says and means")).append("</summary>\n");
      for (JsonNode loss : list(report, "losses")) {
        html.append("<h3>").append(words(loss, "name")).append("</h3><p>").append(words(loss, "now"))
            .append("</p><p class=\"soft\">").append(words(loss, "forBeginners")).append("</p>\n");
      }
      html.append("</details>\n");
    }
    html.append("</div>\n");
  }

  /** What the reports' author left, newest first; a file that cannot be read is passed over. */
  private List<JsonNode> newestReports() {
    Path folder = run.resolve("reports");
    List<Path> files = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (Stream<Path> all = Files.list(folder)) {
        all.filter(file -> file.getFileName().toString().matches("report-\\d{8,}\\.json"))
            .sorted(Comparator.comparing((Path file) -> file.getFileName().toString()).reversed())
            .limit(MAX_REPORTS)
            .forEach(files::add);
      } catch (IOException e) {
        return List.of();
      }
    }
    List<JsonNode> reports = new ArrayList<>();
    for (Path file : files) {
      try {
        JsonNode report = JSON.readTree(file.toFile());
        if (report != null && report.isObject()) {
          reports.add(report);
        }
      } catch (IOException damaged) {
        continue;
      }
    }
    return reports;
  }

  private static String language(JsonNode report) {
    String language = report.path("language").asText();
    return language.matches("[a-zA-Z-]{2,10}") ? language : "en";
  }

  private static List<JsonNode> list(JsonNode node, String field) {
    List<JsonNode> items = new ArrayList<>();
    node.path(field).forEach(items::add);
    return items;
  }

  private static String words(JsonNode node, String field) {
    return Html.escaped(node.path(field).asText());
  }

  private static String number(JsonNode node) {
    return node.isNumber() ? "<span class=\"amount\">" + Html.escaped(node.asText()) + "</span>" : "—";
  }

  private void charts() {
    String section = "";
    for (int i = 0; i < Chart.ALL.size(); i++) {
      Chart chart = Chart.ALL.get(i);
      if (tags(chart).isEmpty()) {
        continue;
      }
      if (!chart.section().equals(section)) {
        html.append(section.isEmpty() ? "" : "</div></section>\n");
        section = chart.section();
        html.append("<section><h2>").append(texts.get(section)).append("</h2><div class=\"charts\">\n");
      }
      html.append("<figure class=\"chart\" data-chart=\"").append(i).append("\"><figcaption><b>")
          .append(Html.escaped(texts.get(chart.title()))).append("</b><span class=\"legend\"></span></figcaption><div class=\"plot\"></div>");
      if (!chart.hint().isEmpty()) {
        html.append("<p class=\"soft\">").append(Html.escaped(texts.get(chart.hint()))).append("</p>");
      }
      html.append("</figure>\n");
    }
    html.append(section.isEmpty() ? "" : "</div></section>\n");
  }

  private List<String> tags(Chart chart) {
    return chart.among(curves().keySet());
  }

  /** All curves by tag, those of the validations too. */
  private Map<String, Object> curves() {
    Map<String, Object> curves = new LinkedHashMap<>(record.series());
    for (RunRecord.Validation validation : record.validations()) {
      validation.scalars().keySet().forEach(tag -> curves.put(tag, tag));
    }
    return curves;
  }

  private void sounds(PageMedia media) {
    List<PageMedia.Track> tracks = media.tracks().stream().filter(PageMedia.Track::audio).toList();
    if (tracks.isEmpty()) {
      return;
    }
    html.append("<section><h2>").append(texts.get("Listen")).append("</h2>\n<p class=\"soft\">")
        .append(texts.get("Move the slider to hear how it sounded earlier.")).append("</p>\n");
    sounds(tracks.stream().filter(track -> track.tag().startsWith("sample/")).toList());
    sounds(tracks.stream().filter(track -> !track.tag().startsWith("sample/")).toList());
    if (media.leftOut() > 0) {
      html.append("<p class=\"soft\">").append(count(media.leftOut()))
          .append(' ').append(texts.get("more files of each validation are in the run's folder; the page stays small."))
          .append("</p>\n");
    }
    html.append("</section>\n");
  }

  private void sounds(List<PageMedia.Track> tracks) {
    if (tracks.isEmpty()) {
      return;
    }
    html.append("<div class=\"sounds\">\n");
    for (PageMedia.Track track : tracks) {
      html.append("<div class=\"sound\" data-track=\"").append(Html.escaped(track.tag())).append("\"><div><b>")
          .append(Html.escaped(title(track.tag()))).append("</b> <span class=\"soft at\"></span></div>");
      if (!track.text().isEmpty()) {
        html.append("<p class=\"spoken\">").append(Html.escaped(track.text())).append("</p>");
      }
      html.append("<audio controls preload=\"metadata\"></audio>");
      slider(track);
      html.append("</div>\n");
    }
    html.append("</div>\n");
  }

  private void pictures(PageMedia media) {
    List<PageMedia.Track> tracks = media.tracks().stream().filter(track -> !track.audio()).toList();
    if (tracks.isEmpty()) {
      return;
    }
    html.append("<section><h2>").append(texts.get("Look")).append("</h2>\n<p class=\"soft\">")
        .append(texts.get("Spectrograms: low notes at the bottom, time to the right. The alignment should become a thin diagonal."))
        .append("</p>\n<div class=\"pictures\">\n");
    for (PageMedia.Track track : tracks) {
      html.append("<figure class=\"picture\" data-track=\"").append(Html.escaped(track.tag())).append("\"><figcaption><b>")
          .append(Html.escaped(title(track.tag()))).append("</b> <span class=\"soft at\"></span></figcaption>")
          .append("<img alt=\"").append(Html.escaped(title(track.tag()))).append("\">");
      slider(track);
      html.append("</figure>\n");
    }
    html.append("</div></section>\n");
  }

  private void slider(PageMedia.Track track) {
    int steps = track.dataUris().size();
    if (steps > 1) {
      html.append("<input type=\"range\" min=\"0\" max=\"").append(steps - 1).append("\" value=\"").append(steps - 1)
          .append("\" aria-label=\"").append(texts.get("validation")).append("\">");
    }
  }

  /** What a tag is, in words; an unknown one stays as it is. */
  private String title(String tag) {
    int cut = tag.lastIndexOf('_');
    boolean numbered = cut > 0 && tag.substring(cut + 1).matches("\\d+") && !tag.startsWith("sample/");
    String clip = numbered ? ", " + texts.get("clip") + " " + (Integer.parseInt(tag.substring(cut + 1)) + 1) : "";
    String kind = numbered ? tag.substring(0, cut) : tag;
    String title =
        switch (kind) {
          case "gt/audio" -> "Recording";
          case "gen/audio" -> "Reconstruction of the recording";
          case "gt/mel" -> "Recording, mel";
          case "gen/mel" -> "Reconstruction, mel";
          case "all/mel" -> "Whole recording, mel";
          case "slice/mel_org" -> "A segment of the recording";
          case "slice/mel_gen" -> "The same segment, generated";
          case "all/attn" -> "Alignment of text and speech";
          default -> kind.startsWith("sample/") ? kind.substring("sample/".length()).replace('/', ' ') : kind;
        };
    return texts.get(title) + clip;
  }

  private void events() {
    record Row(Instant time, long step, String kind, String text) {}
    List<Row> rows = new ArrayList<>();
    for (RunRecord.Session session : record.sessions()) {
      rows.add(new Row(session.time(), session.step(), session.resumed() ? "resumed" : "started", texts.get("on") + " " + session.device()));
      if (session.end() != null) {
        rows.add(new Row(session.end().time(), session.end().step(), session.end().failed() ? "failed" : "ended",
            texts.outcome(session.end().reason())));
      }
    }
    record.remarks().stream().filter(remark -> remark.level() == Notice.Level.WARNING)
        .forEach(remark -> rows.add(new Row(remark.time(), remark.step(), "warning", remark.text())));
    if (rows.isEmpty()) {
      return;
    }
    rows.sort(Comparator.comparing(Row::time, Comparator.nullsFirst(Comparator.reverseOrder())));
    html.append("<section><h2>").append(texts.get("What happened")).append("</h2>\n<ul class=\"events\">\n");
    for (Row row : rows.subList(0, Math.min(rows.size(), MAX_EVENTS))) {
      html.append("<li class=\"").append(row.kind()).append("\"><b>").append(texts.get(row.kind())).append("</b> <span class=\"soft\">").append(texts.get("step")).append(' ')
          .append(count(row.step())).append(row.time() == null ? "" : " · " + TIME.format(row.time())).append("</span><br>")
          .append(Html.escaped(row.text())).append("</li>\n");
    }
    html.append("</ul>\n");
    if (rows.size() > MAX_EVENTS) {
      html.append("<p class=\"soft\">").append(texts.get("The newest")).append(' ').append(MAX_EVENTS).append(' ').append(texts.get("of")).append(' ').append(count(rows.size())).append(".</p>\n");
    }
    if (record.missedSteps() > 0) {
      html.append("<p class=\"soft\">").append(count(record.missedSteps()))
          .append(' ').append(texts.get("steps are not in the curves: monitors fell behind.")).append("</p>\n");
    }
    html.append("</section>\n");
  }

  private void data() {
    JsonNode report;
    try {
      report = JSON.readTree(run.resolve("data-report.json").toFile());
    } catch (IOException none) {
      return;
    }
    if (report == null || !report.isObject()) {
      return;
    }
    html.append("<section><h2>").append(texts.get("Data")).append("</h2>\n<div class=\"figures\">\n");
    text("clips to train on", count(report.path("training").asLong()));
    text("clips held out", count(report.path("validation").asLong()));
    text("hours", String.format(texts.locale(), "%.2f", report.path("hours").asDouble()));
    text("speakers", count(report.path("speakers").size()));
    text("rows at fault", count(report.path("bad").size()));
    html.append("</div>\n<p class=\"soft\">").append(texts.get("Text read by")).append(' ').append(words(report, "textFrontEnd")).append("</p>\n");
    if (report.path("speakers").size() > 1) {
      html.append("<details><summary>").append(texts.get("Speakers")).append("</summary><div class=\"scroll\"><table><tbody>\n");
      int shown = 0;
      for (JsonNode speaker : report.path("speakers")) {
        if (shown++ == MAX_EVENTS) {
          break;
        }
        html.append("<tr><td>").append(words(speaker, "name")).append("<td>").append(words(speaker, "language"))
            .append("<td>").append(count(speaker.path("clips").asLong())).append(' ').append(texts.get("clips")).append("<td>")
            .append(String.format(texts.locale(), "%.1f", speaker.path("minutes").asDouble())).append(" min</tr>\n");
      }
      html.append("</tbody></table></div></details>\n");
    }
    html.append("</section>\n");
  }

  private void environment() {
    Map<String, String> environment = record.session().map(RunRecord.Session::environment).orElse(Map.of());
    if (environment.isEmpty()) {
      return;
    }
    html.append("<section><h2>").append(texts.get("Machine")).append("</h2>\n<table><tbody>\n");
    environment.forEach((name, value) -> html.append("<tr><th>").append(Html.escaped(name)).append("<td>")
        .append(Html.escaped(value)).append("</tr>\n"));
    html.append("</tbody></table></section>\n");
  }

  private void configuration() throws IOException {
    Optional<String> text = record.session().map(RunRecord.Session::configText).filter(config -> !config.isEmpty());
    Path file = run.resolve("config.yaml");
    if (text.isEmpty() && Files.isRegularFile(file)) {
      text = Optional.of(Files.readString(file));
    }
    text.ifPresent(config -> html.append("<section><h2>").append(texts.get("Configuration")).append("</h2>\n<details><summary>")
        .append(texts.get("Every key")).append("</summary><pre>")
        .append(Html.escaped(config)).append("</pre></details></section>\n"));
  }

  private ObjectNode numbers(PageMedia media) {
    ObjectNode numbers = JSON.createObjectNode();
    numbers.put("language", texts.language()).put("step", texts.get("step")).put("atStep", texts.get("at step"));
    ArrayNode charts = numbers.putArray("charts");
    ObjectNode curves = numbers.putObject("curves");
    for (Chart chart : Chart.ALL) {
      ObjectNode entry = charts.addObject().put("log", chart.logarithmic());
      ArrayNode tags = entry.putArray("tags");
      for (String tag : tags(chart)) {
        tags.add(tag);
        curves.set(tag, record.series().containsKey(tag) ? curve(record.series().get(tag)) : validations(tag));
      }
    }
    ArrayNode starts = numbers.putArray("starts");
    record.sessions().stream().filter(session -> session.step() > 0).forEach(session -> starts.add(session.step()));
    ObjectNode tracks = numbers.putObject("tracks");
    for (PageMedia.Track track : media.tracks()) {
      ArrayNode points = tracks.putArray(track.tag());
      track.dataUris().forEach((step, uri) -> points.addArray().add(step).add(uri));
    }
    return numbers;
  }

  private static ObjectNode curve(Series series) {
    ObjectNode curve = JSON.createObjectNode();
    ArrayNode steps = curve.putArray("steps");
    ArrayNode means = curve.putArray("means");
    for (int i = 0; i < series.size(); i++) {
      steps.add(series.step(i));
      add(means, series.mean(i));
    }
    return curve;
  }

  private ObjectNode validations(String tag) {
    ObjectNode curve = JSON.createObjectNode();
    ArrayNode steps = curve.putArray("steps");
    ArrayNode means = curve.putArray("means");
    for (RunRecord.Validation validation : record.validations()) {
      if (validation.scalars().containsKey(tag)) {
        steps.add(validation.step());
        add(means, validation.scalars().get(tag));
      }
    }
    return curve;
  }

  private static void add(ArrayNode array, double value) {
    if (Double.isFinite(value)) {
      array.add(new BigDecimal(value).round(DIGITS).doubleValue());
    } else {
      array.addNull();
    }
  }

  private String count(long number) {
    return String.format(texts.locale(), "%,d", number);
  }

  private static String duration(double seconds) {
    long whole = Math.round(seconds);
    return whole < 60
        ? whole + " s"
        : whole < 3600
            ? String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60)
            : String.format(Locale.ROOT, "%d h %02d min", whole / 3600, whole % 3600 / 60);
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = RunPage.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** A file of the charting library, from the jar it came in. */
  private static String library(String name) throws IOException {
    Properties version = new Properties();
    try (InputStream in = RunPage.class.getResourceAsStream("/META-INF/maven/org.webjars.npm/uplot/pom.properties")) {
      version.load(in);
    }
    String path = "/META-INF/resources/webjars/uplot/" + version.getProperty("version") + "/dist/" + name;
    try (InputStream in = RunPage.class.getResourceAsStream(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
