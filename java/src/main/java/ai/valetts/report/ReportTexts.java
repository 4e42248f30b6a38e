package ai.valetts.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The sentences of reports in one language. Immutable. */
public final class ReportTexts {
  /** Each language with its file of sentences. */
  private static final Map<String, String> FILES =
      Map.of("pt", "report-texts-pt.properties", "en", "report-texts-en.properties", "es", "report-texts-es.properties");

  private static final Pattern PLACE = Pattern.compile("\\{(\\w+)}");

  private final Properties sentences = new Properties();
  private final String language;

  /**
   * @param language {@code pt}, {@code en} or {@code es}
   */
  public ReportTexts(String language) {
    String file = FILES.get(language);
    if (file == null) {
      throw new IllegalArgumentException("There are no reports in \"" + language + "\", only in pt, en and es");
    }
    this.language = language;
    try (InputStream stream = ReportTexts.class.getResourceAsStream(file);
        InputStreamReader reader = new InputStreamReader(stream, StandardCharsets.UTF_8)) {
      sentences.load(reader);
    } catch (IOException e) {
      throw new IllegalStateException(file + " cannot be read from the jar", e);
    }
  }

  String language() {
    return language;
  }

  Set<String> keys() {
    return sentences.stringPropertyNames();
  }

  boolean has(String key) {
    return sentences.containsKey(key);
  }

  /** The sentence as it is. */
  public String get(String key) {
    String sentence = sentences.getProperty(key);
    if (sentence == null) {
      throw new IllegalStateException("The sentences in " + language + " lack " + key);
    }
    return sentence;
  }

  /** The sentence with its places filled; numbers are written as the language writes them. */
  public String get(String key, Map<String, ?> values) {
    Matcher place = PLACE.matcher(get(key));
    return place.replaceAll(match -> {
      Object value = values.get(match.group(1));
      if (value == null) {
        throw new IllegalStateException(key + " has no value for " + match.group(1));
      }
      return Matcher.quoteReplacement(written(value));
    });
  }

  private String written(Object value) {
    if (value instanceof Rules.Percent share) {
      return percent(share.share());
    }
    return value instanceof Number number ? number(number.doubleValue()) : value.toString();
  }

  /** Four significant digits; large and tiny numbers by power of ten. */
  String number(double value) {
    DecimalFormatSymbols symbols = DecimalFormatSymbols.getInstance(Locale.forLanguageTag(language));
    double size = Math.abs(value);
    if (value == Math.rint(value) && size < 1e9) {
      return new DecimalFormat("#,##0", symbols).format(value);
    }
    if (size != 0 && (size < 1e-3 || size >= 1e7)) {
      return new DecimalFormat("0.##E0", symbols).format(value);
    }
    String pattern = size >= 1000 ? "#,##0" : size >= 100 ? "0.#" : size >= 10 ? "0.##" : size >= 1 ? "0.###" : "0.####";
    return new DecimalFormat(pattern, symbols).format(value);
  }

  /** A share as a percentage. */
  String percent(double share) {
    DecimalFormatSymbols symbols = DecimalFormatSymbols.getInstance(Locale.forLanguageTag(language));
    return new DecimalFormat(Math.abs(share) < 0.1 ? "0.#" : "0", symbols).format(share * 100) + " %";
  }
}
