package ai.valetts.report.page;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The page's own words in the language of the run's reports, by the English ones. Immutable. */
final class PageTexts {
  private static final String USUAL = "pt";
  /** English needs none. */
  private static final Map<String, String> FILES = Map.of("pt", "run-page-pt.json", "es", "run-page-es.json");

  /** In the configuration as runs write it down; one of an older version is still understood. */
  private static final Pattern CONFIGURED = Pattern.compile("(?m)^report:.*\\n(?: +.*\\n)*? +language: *\"?(pt|en|es)\\b");

  private static final Pattern LIMIT =
      Pattern.compile("(?<reached>reached its limit of )?(?<amount>[0-9]{1,12}(\\.[0-9]{1,6})?) "
          + "(?<unit>steps|epochs|minutes|USD|hours of this session)");

  private final String language;
  private final Map<String, String> words;

  PageTexts(String language) {
    this.language = language;
    this.words = FILES.containsKey(language) ? read(FILES.get(language)) : Map.of();
  }

  /**
   * @param configText of the run; one that names no language leaves the usual one
   */
  static PageTexts of(String configText) {
    Matcher found = CONFIGURED.matcher(configText);
    return new PageTexts(found.find() ? found.group(1) : USUAL);
  }

  private static Map<String, String> read(String file) {
    try (InputStream in = PageTexts.class.getResourceAsStream(file)) {
      return new ObjectMapper().readValue(in, new TypeReference<Map<String, String>>() {});
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read from the jar", e);
    }
  }

  String language() {
    return language;
  }

  Locale locale() {
    return Locale.forLanguageTag(language);
  }

  /** English words that there is a translation of; none where the language is English. */
  Set<String> translated() {
    return words.keySet();
  }

  /** What has no translation, such as a speaker's name, stays as it is. */
  String get(String english) {
    return words.getOrDefault(english, english);
  }

  /** What a run says of its limit or of how it ended, e.g. {@code reached its limit of 45 steps}; other sentences stay as they are. */
  String outcome(String english) {
    Matcher limit = LIMIT.matcher(english);
    if (!limit.matches() || words.isEmpty()) {
      return get(english);
    }
    String reached = limit.group("reached") == null ? "" : get("reached its limit of") + " ";
    return reached + number(new BigDecimal(limit.group("amount"))) + " " + get(limit.group("unit"));
  }

  /** With the language's decimal mark. */
  String number(BigDecimal value) {
    return language.equals("en") ? value.toPlainString() : value.toPlainString().replace('.', ',');
  }
}
