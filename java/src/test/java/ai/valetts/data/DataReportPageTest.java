package ai.valetts.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.valetts.config.DataConfig;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

class DataReportPageTest {
  @TempDir Path temp;

  private DataReport report(DataConfig config) {
    try (PreparedData data = DataFixtures.survey(config, temp.resolve("cache"), notice -> {})) {
      return data.report();
    }
  }

  private static String body(String page) {
    return page.substring(page.indexOf("<body>"), page.indexOf("</html>"));
  }

  /** Every tag is closed, so an XML reader takes the body. */
  private static void assertWellFormed(String page) throws Exception {
    String xml = body(page).replace("<br>", "<br/>").replace("&middot;", "-");
    DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
  }

  @Test
  void showsWhatIsUsedAndWhatIsNot() throws Exception {
    Path folder = DataFixtures.folder(temp.resolve("ana"), 20);
    Files.writeString(folder.resolve("metadata.csv"), Files.readString(folder.resolve("metadata.csv")) + "gone|away\n");
    DataConfig config = DataFixtures.config(1, 3, DataFixtures.source(folder, "ana"));
    String page = DataReportPage.of(report(config), "casa");
    assertWellFormed(page);
    assertThat(page)
        .contains("<title>Data of casa</title>", "A run would start", "<strong>21</strong>", "missing recording")
        .contains("metadata.csv:21</td>", "there is no recording gone", "ljspeech", "aria-label")
        .doesNotContain("<script", "http://", "https://", "url(");
  }

  @Test
  void showsARefusalOfDataWithoutAUsableClip() throws Exception {
    Path folder = temp.resolve("bad");
    DataFixtures.metadata(folder, "a|x", "b|");
    DataConfig config = DataFixtures.config(0, 0, DataFixtures.source(folder, "ana"));
    String page = DataReportPage.of(report(config), "bad");
    assertWellFormed(page);
    assertThat(page).contains("A run would refuse", "no usable clip among the 2 rows", "There is nothing to show.");
  }

  @Test
  void makesNoMarkupOfForeignText() throws Exception {
    Path folder = temp.resolve("evil");
    DataFixtures.tone(folder, "good", 1);
    DataFixtures.metadata(folder, "good|fine", "<script>alert(1)</script>&amp;|x", "\"><img src=x>|it's \u0001");
    DataConfig config = DataFixtures.config(1, 0, DataFixtures.source(folder, "<b>'ana'</b>"));
    String page = DataReportPage.of(report(config), "<i>");
    assertWellFormed(page);
    assertThat(page).doesNotContain("<script>", "<img", "<b>").contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;");
  }

  @Test
  void listsAFewHundredRowsOfAKindAndCountsTheRest() throws IOException {
    Path folder = temp.resolve("many");
    DataFixtures.tone(folder, "good", 1);
    String[] rows = new String[1001];
    rows[0] = "good|fine";
    for (int i = 1; i < rows.length; i++) {
      rows[i] = "absent" + i + "|words";
    }
    DataFixtures.metadata(folder, rows);
    DataReport report = report(DataFixtures.config(1, 0, DataFixtures.source(folder, "ana")));
    assertThat(report.bad()).hasSize(1000);
    assertThat(DataReportPage.of(report, "many")).contains("And 700 more in data-report.json.").hasSizeLessThan(200_000);
  }

  /** Five bars have no edge at a quarter of the width. */
  @Test
  void writesTheAxisWhereTheEdgesOfTheBarsAre() throws IOException {
    Path folder = temp.resolve("long");
    DataFixtures.tone(folder, "a", 4.5);
    DataFixtures.tone(folder, "b", 0.6);
    DataFixtures.metadata(folder, "a|" + "words ".repeat(15) + "end", "b|also");
    DataConfig config =
        new DataConfig(
            List.of(DataFixtures.source(folder, "ana")),
            4, null, List.of(40, 400), 0.1, 5.0, null, null, null, null, 0, 1, 2, 3);
    DataReport report = report(config);
    int bars = report.symbols().counts().size();
    assertThat(bars).isEqualTo(5);
    double step = report.symbols().step();
    String page = DataReportPage.of(report, "long");
    String axis = page.substring(page.lastIndexOf("<div class=\"axis\">"));
    Matcher label = Pattern.compile("left:([\\d.]+)%\">([\\d.]+)").matcher(axis.substring(0, axis.indexOf("</div>")));
    int labels = 0;
    for (; label.find(); labels++) {
      double symbols = Double.parseDouble(label.group(2));
      assertThat(Double.parseDouble(label.group(1))).isCloseTo(100 * symbols / (bars * step), within(0.06));
    }
    assertThat(labels).isEqualTo(5);
  }

  @Test
  void countsInStepsFromZero() {
    assertThat(DataReport.Histogram.of(0.5, new double[] {0, 0.49, 0.5, 2.2}).counts()).isEqualTo(List.of(2, 1, 0, 0, 1));
    assertThat(DataReport.Histogram.of(1, new double[0]).counts()).isEmpty();
  }
}
