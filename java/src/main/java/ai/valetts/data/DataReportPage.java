package ai.valetts.data;

import ai.valetts.data.corpus.Finding;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A {@link DataReport} for a browser: one page that needs nothing but itself, on a phone as on a large screen, in light
 * and dark. Charts are inline SVG and plain bars; there is no script.
 */
public final class DataReportPage {
  /** More rows of one kind make a page slow; the JSON report has all. */
  private static final int MAX_ROWS = 300;

  private static final int MAX_BARS = 60;
  private static final int CHART_HEIGHT = 100;

  private final DataReport report;
  private final StringBuilder html = new StringBuilder(1 << 14);

  private DataReportPage(DataReport report) {
    this.report = report;
  }

  /**
   * The page.
   *
   * @param name what the data is called
   */
  public static String of(DataReport report, String name) {
    return new DataReportPage(report).page(name);
  }

  private String page(String name) {
    html.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Data of ")
        .append(escaped(name))
        .append("</title>\n<style>\n")
        .append(style())
        .append("</style>\n</head>\n<body>\n<h1>Data of ")
        .append(escaped(name))
        .append("</h1>\n");
    verdict();
    figures();
    sources();
    html.append("<div class=\"pair\">\n");
    histogram("How long the recordings are", report.seconds(), "s");
    histogram("How long the texts are", report.symbols(), "symbols");
    html.append("</div>\n");
    speakers();
    languages();
    kinds("What is not used, and why", List.of(Finding.Weight.BAD, Finding.Weight.LEFT_OUT));
    kinds("Remarks on rows that are used", List.of(Finding.Weight.REMARK));
    conversions();
    return html.append("</body>\n</html>\n").toString();
  }

  private static String style() {
    try (InputStream stream = DataReportPage.class.getResourceAsStream("data-report.css")) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void verdict() {
    if (report.refusal() == null) {
      html.append("<section class=\"verdict\"><p>A run would start with this data.</p>");
    } else {
      html.append("<section class=\"verdict refused\"><p>A run would refuse this data.</p><pre>")
          .append(escaped(report.refusal()))
          .append("</pre>");
    }
    html.append("<p class=\"soft\">Text read by ").append(escaped(report.textFrontEnd())).append("</p></section>\n");
  }

  private void figures() {
    html.append("<div class=\"figures\">\n");
    figure(number(report.rows()), "rows");
    figure(number(report.training()), "clips to train on");
    figure(number(report.validation()), "clips held out");
    figure(duration(report.hours()), "of recordings that are used");
    figure(number(report.speakers().size()), report.speakers().size() == 1 ? "speaker" : "speakers");
    figure(number(report.bad().size()), "rows at fault (" + percent(report.bad().size(), report.rows()) + ")");
    figure(number(report.leftOut().size()), "rows left out");
    figure(duration(report.trimmedHours()), "of silence trimmed");
    figure(decimals(3, report.batches().paddedPerRealFrame()), "frames computed for each real one");
    html.append("</div>\n");
  }

  private void figure(String value, String what) {
    html.append("<div><strong>").append(value).append("</strong><span>").append(escaped(what)).append("</span></div>\n");
  }

  private void sources() {
    html.append("<section><h2>Sources</h2>\n");
    for (DataReport.Source source : report.sources()) {
      html.append("<p>")
          .append(escaped(source.folder()))
          .append("<br><span class=\"soft\">")
          .append(escaped(source.format() + ": " + source.detection()))
          .append("; ")
          .append(number(source.rows()))
          .append(" rows</span></p>\n");
    }
    html.append("</section>\n");
  }

  private void histogram(String title, DataReport.Histogram histogram, String unit) {
    html.append("<section class=\"histogram\"><h2>").append(title).append(" <small>in ").append(unit).append("</small></h2>\n");
    List<Integer> counts = histogram.counts();
    if (counts.isEmpty()) {
      html.append("<p class=\"soft\">There is nothing to show.</p></section>\n");
      return;
    }
    int most = counts.stream().mapToInt(Integer::intValue).max().orElseThrow();
    html.append("<svg role=\"img\" aria-label=\"")
        .append(title)
        .append("\" preserveAspectRatio=\"none\" viewBox=\"0 0 ")
        .append(counts.size())
        .append(' ')
        .append(CHART_HEIGHT)
        .append("\">\n");
    for (int i = 0; i < counts.size(); i++) {
      double height = (double) CHART_HEIGHT * counts.get(i) / most;
      html.append(String.format(Locale.ROOT,
          "<rect x=\"%.2f\" y=\"%.2f\" width=\"0.9\" height=\"%.2f\"><title>%s to %s %s: %s clips</title></rect>%n",
          i + 0.05, CHART_HEIGHT - height, height, plain(i * histogram.step()), plain((i + 1) * histogram.step()),
          unit, number(counts.get(i))));
    }
    html.append("</svg>\n<div class=\"axis\">");
    int parts = Math.min(4, counts.size());
    for (int i = 0; i <= parts; i++) {
      long bars = Math.round((double) counts.size() * i / parts);
      html.append("<span style=\"left:").append(decimals(1, 100.0 * bars / counts.size())).append("%\">")
          .append(plain(bars * histogram.step())).append("</span>");
    }
    html.append("</div><p class=\"soft\">Highest: ").append(number(most)).append(" clips from ");
    int at = counts.indexOf(most);
    html.append(plain(at * histogram.step()))
        .append(" to ")
        .append(plain((at + 1) * histogram.step()))
        .append(' ')
        .append(unit)
        .append("</p></section>\n");
  }

  /** One bar of a chart. */
  private record Bar(String name, String group, double size, String value) {}

  private void speakers() {
    List<DataReport.Speaker> all = new ArrayList<>(report.speakers());
    all.sort(Comparator.comparingDouble(DataReport.Speaker::minutes).reversed());
    List<Bar> bars = new ArrayList<>();
    for (DataReport.Speaker speaker : all.subList(0, Math.min(MAX_BARS, all.size()))) {
      String value = duration(speaker.minutes() / 60) + ", " + number(speaker.clips()) + " clips";
      bars.add(new Bar(speaker.name(), "", speaker.minutes(), value));
    }
    bars("Hours of each speaker", bars, all.size() - bars.size());
  }

  private void languages() {
    List<Bar> bars = new ArrayList<>();
    for (DataReport.Language language : report.languages()) {
      String value = duration(language.hours()) + ", " + number(language.clips()) + " clips, "
          + number(language.speakers()) + (language.speakers() == 1 ? " speaker" : " speakers");
      bars.add(new Bar(language.name(), "", language.hours(), value));
    }
    bars("Hours of each language", bars, 0);
  }

  private void bars(String title, List<Bar> bars, int left) {
    html.append("<section><h2>").append(title).append("</h2>\n");
    if (bars.isEmpty()) {
      html.append("<p class=\"soft\">There is nothing to show.</p></section>\n");
      return;
    }
    table(bars);
    if (left > 0) {
      html.append("<p class=\"soft\">And ").append(number(left)).append(" more in data-report.json.</p>");
    }
    html.append("</section>\n");
  }

  private void table(List<Bar> bars) {
    double largest = bars.stream().mapToDouble(Bar::size).max().orElse(1);
    html.append("<table class=\"bars\">\n");
    for (Bar bar : bars) {
      html.append("<tr class=\"").append(bar.group).append("\"><th scope=\"row\">").append(escaped(bar.name))
          .append("</th><td class=\"bar\"><i style=\"width:")
          .append(decimals(1, largest == 0 ? 0 : 100 * bar.size / largest))
          .append("%\"></i></td><td class=\"number\">").append(escaped(bar.value)).append("</td></tr>\n");
    }
    html.append("</table>\n");
  }

  private void kinds(String title, List<Finding.Weight> weights) {
    Map<Finding.Kind, Integer> counts = report.counts();
    counts.keySet().removeIf(kind -> !weights.contains(kind.weight()));
    List<Bar> bars = new ArrayList<>();
    counts.forEach((kind, count) -> {
      String group = switch (kind.weight()) {
        case BAD -> "at-fault";
        case LEFT_OUT -> "left-out";
        case REMARK -> "remark";
      };
      bars.add(new Bar(kind.title(), group, count, number(count)));
    });
    html.append("<section><h2>").append(title).append("</h2>\n");
    if (bars.isEmpty()) {
      html.append("<p class=\"soft\">Nothing.</p></section>\n");
      return;
    }
    table(bars);
    counts.keySet().forEach(this::rows);
    html.append("</section>\n");
  }

  private void rows(Finding.Kind kind) {
    List<DataReport.Row> all =
        Stream.of(report.bad(), report.leftOut(), report.remarks())
            .flatMap(List::stream)
            .filter(row -> row.kind().equals(kind.slug()))
            .toList();
    html.append("<details><summary>").append(escaped(kind.title())).append(" <em>").append(number(all.size()))
        .append(" &middot; ").append(kind.slug()).append("</em></summary>\n<table class=\"rows\">\n")
        .append("<thead><tr><th>file and row</th><th>clip</th><th>what</th></tr></thead>\n");
    for (DataReport.Row row : all.subList(0, Math.min(MAX_ROWS, all.size()))) {
      html.append("<tr><td>").append(escaped(row.metadataFile())).append(':').append(row.line())
          .append("</td><td>").append(escaped(row.clip())).append("</td><td>").append(escaped(row.reason()))
          .append("</td></tr>\n");
    }
    html.append("</table>\n");
    if (all.size() > MAX_ROWS) {
      html.append("<p class=\"soft\">And ").append(number(all.size() - MAX_ROWS)).append(" more in data-report.json.</p>");
    }
    html.append("</details>\n");
  }

  private void conversions() {
    if (report.conversions().isEmpty()) {
      return;
    }
    html.append("<section><h2>Conversions</h2>\n");
    report.conversions().forEach(text -> html.append("<p>").append(escaped(text)).append("</p>\n"));
    html.append("</section>\n");
  }

  private static String duration(double hours) {
    return hours >= 1 ? decimals(2, hours) + " h" : decimals(1, hours * 60) + " min";
  }

  private static String number(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  private static String decimals(int places, double value) {
    return String.format(Locale.ROOT, "%." + places + "f", value);
  }

  private static String plain(double value) {
    return value == Math.rint(value) ? number((long) value) : decimals(1, value);
  }

  private static String percent(int part, int whole) {
    return whole == 0 ? "0\u00a0%" : decimals(2, 100.0 * part / whole) + "\u00a0%";
  }

  /** Names and texts are other people's: none of their characters may become markup. */
  private static String escaped(String text) {
    StringBuilder safe = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                default -> {
                  boolean control = c < 0x20 && c != '\n' && c != '\t';
                  safe.appendCodePoint(control ? 0xfffd : c);
                }
              }
            });
    return safe.toString();
  }
}
