package ai.valetts.text.normalization;

import static ai.valetts.text.normalization.Rule.END;
import static ai.valetts.text.normalization.Rule.START;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Calendar days in figures and with the month's name. A day that no calendar has is left to the number rules. */
final class DateRules {
  private static final int[] LONGEST_MONTH = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  private static final int LONGEST_WEEKDAY = 20;
  private static final String DAY = "(?<day>\\d{1,2})";
  private static final String MONTH = "(?<month>\\d{1,2})";
  private static final String YEAR = "(?<year>\\d{4}|\\d{2})";

  private final Grammar grammar;
  private final boolean monthFirst;
  private final Map<String, String> months;
  private final Set<String> dateWords;

  /** A day of the week and a comma or a parenthesis, at the end of what precedes. */
  private final Pattern weekday;

  /**
   * @param monthFirst whether 4/5 is the fifth day of the fourth month
   */
  DateRules(Grammar grammar, boolean monthFirst) {
    this.grammar = grammar;
    this.monthFirst = monthFirst;
    months = grammar.vocabulary().words("month-name");
    dateWords = grammar.vocabulary().set("date-word");
    weekday =
        Pattern.compile(
            START + Vocabulary.alternatives(grammar.vocabulary().set("weekday")) + "(?:,? \\(?)$",
            Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
  }

  List<Rule> rules() {
    String first = monthFirst ? MONTH : DAY;
    String second = monthFirst ? DAY : MONTH;
    List<Rule> rules = new ArrayList<>();
    rules.add(
        Rule.of(START + "(?<year>\\d{4})(?<sign>[/-])(?<month>\\d{2})\\k<sign>(?<day>\\d{2})(?:T(?=\\d{2}:\\d{2})|" + END + "(?![/-]))",
            found -> spaced(date(found, "day", "month"), found)));
    rules.add(
        Rule.of(START + "(?<!\\d[/.-])" + first + "(?<sign>[/.-])" + second + "\\k<sign>" + YEAR + END + "(?![/-]\\d)",
            found -> {
              String words = date(found, "day", "month");
              return words == null ? date(found, "month", "day") : words;
            }));
    rules.add(
        Rule.of(START + "(?<!\\d[/.,-])" + first + "/" + second + END + "(?![/.,-]\\d)",
            found -> isDayAndMonth(found) ? date(found, "day", "month") : null));
    rules.add(
        Rule.of(START + "(?<!\\d[/.,-])(?<month>0[1-9]|1[0-2])/(?<year>(?:19|20)\\d{2})" + END + "(?![/.,-]\\d)",
            found -> grammar.vocabulary().word("month", String.valueOf(found.number("month"))) + link()
                + grammar.year(found.get("year"))));
    rules.addAll(named());
    return rules;
  }

  private static String spaced(String words, Found found) {
    return words != null && found.all().endsWith("T") ? words + " " : words;
  }

  private String link() {
    String of = grammar.word("of");
    return of.isEmpty() ? " " : " " + of + " ";
  }

  /** Two figures for each part, a day too large for a month, or a word that announces a date. Otherwise a fraction. */
  private boolean isDayAndMonth(Found found) {
    boolean bothWide = found.get("day").length() == 2 && found.get("month").length() == 2;
    return bothWide || weekday.matcher(found.textBefore(LONGEST_WEEKDAY)).find() || dateWords.contains(found.wordBefore().toLowerCase(Locale.ROOT));
  }

  /** "25/dez/2024", "25 dez. 2024", "1 de maio de 2020", "May 5, 2020". */
  private List<Rule> named() {
    String name = "(?<name>" + Vocabulary.alternatives(months.keySet()) + ")\\.?";
    List<Rule> rules = new ArrayList<>();
    rules.add(
        Rule.ofAnyCase(START + DAY + "(?<sign>[/-])" + name + "(?:\\k<sign>" + YEAR + END + "|(?![\\p{L}/-]))", this::named));
    rules.add(
        Rule.ofAnyCase(START + DAY + " (?:" + grammar.word("date-of") + " )?" + name + "(?!\\p{L})(?:,? (?:"
            + grammar.word("date-of") + " )?(?<year>\\d{4})" + END + "(?![.,]?\\d))?", this::named));
    rules.add(
        Rule.ofAnyCase(START + name + "/(?<year>(?:19|20)\\d{2})" + END + "(?![.,/-]?\\d)", found ->
            grammar.vocabulary().word("month", months.get(found.get("name").toLowerCase(Locale.ROOT))) + link()
                + grammar.year(found.get("year"))));
    String dateOf = grammar.word("date-of");
    rules.add(
        Rule.ofAnyCase(START + "(?<name>" + Vocabulary.alternatives(months.keySet()) + ")\\.(?=,? (?:" + dateOf + " )?(?:19|20)\\d{2}" + END + ")",
            found -> grammar.vocabulary().word("month", months.get(found.get("name").toLowerCase(Locale.ROOT)))));
    if (monthFirst) {
      rules.add(
          Rule.ofAnyCase(START + name + " " + DAY + "(?:st|nd|rd|th)?" + END + "(?![.,:]?\\d)(?:,? (?<year>\\d{4})" + END
              + "(?![.,]?\\d))?", this::named));
    }
    return rules;
  }

  private String named(Found found) {
    int month = Integer.parseInt(months.get(found.get("name").toLowerCase(Locale.ROOT)));
    int day = found.number("day");
    boolean capital = Character.isUpperCase(found.get("name").codePointAt(0));
    // "may" and "mar" are words too.
    if (!isDay(day, month) || grammar.vocabulary().set("month-is-word").contains(found.get("name")) && !capital && !found.has("year")) {
      return null;
    }
    return grammar.date(day, month, found.get("year"));
  }

  private String date(Found found, String dayGroup, String monthGroup) {
    int day = found.number(dayGroup);
    int month = found.number(monthGroup);
    if (!isDay(day, month)) {
      return null;
    }
    return grammar.date(day, month, found.get("year"));
  }

  private static boolean isDay(int day, int month) {
    return month >= 1 && month <= 12 && day >= 1 && day <= LONGEST_MONTH[month - 1];
  }
}
