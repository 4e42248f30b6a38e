package ai.valetts.text.normalization;

import static ai.valetts.text.normalization.Rule.END;
import static ai.valetts.text.normalization.Rule.MINUS;
import static ai.valetts.text.normalization.Rule.START;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What English writes in its own way: telephone numbers, hours with a.m. and p.m., ordinals, decades, years. */
final class EnglishRules {
  private static final int MOST_SMALL_DENOMINATOR = 100;

  private final Grammar grammar;

  EnglishRules(Grammar grammar) {
    this.grammar = grammar;
  }

  /**
   * @param tag language tag, e.g. {@code en-gb}
   */
  static List<Rule> all(String tag) {
    boolean american = tag.equals("en") || tag.startsWith("en-us");
    Grammar grammar = new EnglishGrammar(Vocabulary.read("en.tsv"), !american);
    Acronyms acronyms = new Acronyms(grammar);
    MeasureRules measures = new MeasureRules(grammar);
    NumberRules numbers = new NumberRules(grammar, acronyms);
    EnglishRules own = new EnglishRules(grammar);
    List<Rule> rules = new ArrayList<>();
    rules.addAll(new AddressRules(grammar, acronyms).rules());
    rules.addAll(Rule.forDigits(numbers.pairs()));
    rules.addAll(Rule.forDigits(own.clock()));
    rules.addAll(Rule.forDigits(own.heights()));
    rules.addAll(new AbbreviationRules(grammar.vocabulary()).rules());
    rules.addAll(Rule.forDigits(numbers.names()));
    rules.addAll(Rule.forDigits(own.telephones()));
    rules.addAll(Rule.forDigits(new DateRules(grammar, american).rules()));
    rules.addAll(Rule.forDigits(numbers.maths()));
    rules.addAll(measures.money());
    rules.addAll(Rule.forDigits(own.ordinals()));
    rules.addAll(Rule.forDigits(own.years()));
    rules.addAll(Rule.forDigits(numbers.between()));
    rules.addAll(Rule.forDigits(own.fractions(measures)));
    rules.addAll(Rule.forDigits(numbers.slashes()));
    rules.addAll(Rule.forDigits(List.of(measures.shortCounts())));
    rules.addAll(measures.units());
    rules.addAll(measures.perUnit());
    rules.addAll(new RomanRules(grammar).rules());
    rules.addAll(Rule.forDigits(numbers.codes()));
    rules.addAll(Rule.forDigits(numbers.quantities()));
    rules.addAll(acronyms.rules());
    rules.addAll(new SymbolRules(grammar).rules());
    return rules;
  }

  private List<Rule> clock() {
    String half = " ?(?<half>[ap])\\.? ?m\\b(?<dot>\\.)?";
    return List.of(
        Rule.ofAnyCase(START + "(?<!\\d[:.])(?<hours>1[0-2]|0?[1-9])(?:[:.](?<minutes>[0-5]\\d))?" + half, found -> {
          String minutes = found.get("minutes");
          String time = minutes == null || minutes.equals("00")
              ? grammar.cardinal(String.valueOf(found.number("hours")), Gender.NONE)
              : grammar.time(found.number("hours"), Integer.parseInt(minutes), -1);
          return time + " " + grammar.letters(found.get("half")) + " M" + (found.has("dot") && found.endsText() ? "." : "");
        }),
        Rule.of(
            START + "(?<![.,:]|\\d[.,:/-])(?<hours>[01]?\\d|2[0-4]):(?<minutes>[0-5]\\d)(?::(?<seconds>[0-5]\\d))?" + END + "(?![:.,/]\\d)",
            found -> grammar.time(
                found.number("hours"), found.number("minutes"), found.has("seconds") ? found.number("seconds") : -1)));
  }

  /** 5'11" and 6 ft 2 in. */
  private List<Rule> heights() {
    String height = START + "(?<!\\d[.,/-])(?<feet>\\d{1,2})(?: ?(?:ft|feet)\\.? ?|['’′] ?)(?<inches>\\d|1[01])";
    return List.of(
        Rule.of(height + "(?:[\"”″]| ?(?:in\\.|in|inches)(?![\\p{L}\\p{M}\\p{N}]))", found ->
            grammar.cardinal(found.get("feet"), Gender.NONE) + (found.number("feet") == 1 ? " foot " : " feet ")
                + grammar.cardinal(found.get("inches"), Gender.NONE)
                + (found.all().contains("i") ? found.number("inches") == 1 ? " inch" : " inches" : "")));
  }

  private List<Rule> telephones() {
    String number = "\\(?(?<area>\\d{3})\\)?[ .-]?(?<first>\\d{3})[ .-](?<last>\\d{4})" + END + "(?![.,/-]\\d)";
    return List.of(
        Rule.of("(?<![\\p{L}\\p{N}])(?<country>\\+ ?\\d{1,3}[ .-]?|1-)?(?<!\\d[.,/])" + number, found -> country(found) + number(found)),
        Rule.of("(?<![\\p{L}\\p{N}])\\+(?<country>\\d{1,3})(?<rest>(?:[ -]\\(?\\d{1,5}\\)?){2,6})" + END,
            found -> country(found) + groups(found.get("rest"))),
        Rule.of(START + "(?<!\\d[.,/-])(?<first>\\d{3})-(?<last>\\d{4})" + END + "(?![.,/-]\\d)", this::number),
        Rule.of(START + "(\\d{3})-(\\d{2})-(\\d{4})" + END, found -> groups(found.all())),
        Rule.of(START + "(?<!\\d[.,/-])911" + END + "(?![.,/-]\\d)", this::emergency),
        Rule.ofAnyCase("(?<word>" + START + "(?:call(?:ed|ing|s)?|dial(?:l?ed|l?ing|s)?|phon(?:e|ed|ing)) )(?<digits>\\d{3})" + END + "(?![.,-]\\d)",
            found -> found.get("word") + grammar.dictated(found.get("digits"))));
  }

  /** The emergency number, unless it counts or names something. */
  private String emergency(Found found) {
    String next = found.wordAfter().toLowerCase(Locale.ROOT);
    String before = found.wordBefore();
    boolean named = !before.isEmpty() && Character.isUpperCase(before.codePointAt(0)) && !found.secondWordBefore().isEmpty()
        || before.equals("Porsche");
    boolean alone = next.isEmpty() || grammar.vocabulary().set("not-noun").contains(next);
    return !named && alone || grammar.vocabulary().set("emergency-noun").contains(next) ? grammar.dictated("911") : null;
  }

  private String country(Found found) {
    String digits = found.has("country") ? found.get("country").replaceAll("\\D", "") : "";
    String plus = found.all().startsWith("+") ? grammar.word("plus") + " " : "";
    return digits.isEmpty() ? "" : plus + grammar.dictated(digits) + ", ";
  }

  private String number(Found found) {
    String area = found.get("area");
    String first = area == null ? "" : (area.endsWith("00") ? grammar.cardinal(area, Gender.NONE) : grammar.dictated(area)) + ", ";
    return first + grammar.dictated(found.get("first")) + ", " + grammar.dictated(found.get("last"));
  }

  private String groups(String digits) {
    List<String> groups = new ArrayList<>();
    for (String group : digits.split("\\D+")) {
      if (!group.isEmpty()) {
        groups.add(grammar.dictated(group));
      }
    }
    return String.join(", ", groups);
  }

  private List<Rule> ordinals() {
    return List.of(
        Rule.ofAnyCase(START + "(?<!\\d[.,])(?<number>\\d{1,3}(?:,\\d{3}){1,2}|\\d{1,4})(?:st|nd|rd|th)" + END,
            found -> grammar.ordinal(Integer.parseInt(found.get("number").replace(",", "")), Gender.NONE)));
  }

  private List<Rule> years() {
    String year = "(?<year>10[1-9]\\d|1[1-9]\\d{2}|20\\d{2})";
    String alone = END + "(?![.,:/-]\\d|%)";
    return List.of(
        Rule.of(START + "(?<![.,:/-])" + year + "['’]?s" + END, found -> plural(grammar.year(found.get("year")))),
        Rule.of(START + "['’]?(?<year>[2-9]0)['’]?s" + END, found -> plural(grammar.cardinal(found.get("year"), Gender.NONE))),
        Rule.of(START + "(?<![.,:/-])(?<from>1[1-9]\\d{2}|20\\d{2}) ?- ?(?<to>1[1-9]\\d{2}|20\\d{2}|\\d{2})" + alone,
            found -> found.get("to").length() == 4 && found.get("to").compareTo(found.get("from")) <= 0
                ? null
                : grammar.year(found.get("from")) + " " + grammar.word("to") + " " + grammar.year(found.get("to"))),
        Rule.of(START + "(?<![.,:/$£€-])(?<from>1[1-9]\\d{2}|20\\d{2})/(?<to>1[1-9]\\d{2}|20\\d{2}|\\d{2})" + alone,
            found -> grammar.year(found.get("from")) + " " + grammar.word("slash") + " " + grammar.year(found.get("to"))),
        Rule.of(START + "(?<![.,:/$£€-])" + year + alone, found -> isYear(found) ? grammar.year(found.get("year")) : null));
  }

  private static String plural(String words) {
    return words.endsWith("y") ? words.substring(0, words.length() - 1) + "ies" : words + (words.endsWith("s") ? "es" : "s");
  }

  /** A word that leads to a year, or no noun that could be counted behind it. */
  private boolean isYear(Found found) {
    String next = found.wordAfter().toLowerCase(Locale.ROOT);
    return grammar.vocabulary().set("before-year").contains(found.wordBefore().toLowerCase(Locale.ROOT))
        || found.get("year").matches("19\\d{2}|20\\d{2}") && (next.isEmpty() || grammar.vocabulary().set("not-noun").contains(next));
  }

  private List<Rule> fractions(MeasureRules measures) {
    String unit = measures.optionalUnit();
    String guard = END + "(?![/.,-]\\d)";
    return List.of(
        Rule.of(MINUS + START + "(?<!\\d[/.,-])(?<whole>\\d{1,4})[ -](?<top>[1-9]\\d?)/(?<bottom>[2-9]|1[0-6])" + unit + guard,
            found -> found.number("top") < found.number("bottom")
                ? minus(found) + grammar.cardinal(found.get("whole"), Gender.NONE) + " and "
                    + (found.number("bottom") == 2 ? "a half" : fraction(found))
                    + (found.has("unit") ? " " + measures.unit(found, false) : "")
                : null),
        Rule.of(MINUS + START + "(?<!\\d[/.,-])(?<top>[1-9]\\d{0,2})/(?<bottom>\\d{1,3})" + unit + guard,
            found -> isFraction(found) ? minus(found) + fraction(found) + of(found, measures) : null));
  }

  private String minus(Found found) {
    return found.has("minus") ? grammar.word("minus") + " " : "";
  }

  private static String of(Found found, MeasureRules measures) {
    return found.has("unit") ? (found.number("bottom") == 2 ? " " : " of a ") + measures.unit(found, true) : "";
  }

  private static boolean isFraction(Found found) {
    int bottom = found.number("bottom");
    return bottom > 1 && bottom <= MOST_SMALL_DENOMINATOR && found.number("top") < bottom;
  }

  private String fraction(Found found) {
    int top = found.number("top");
    int bottom = found.number("bottom");
    String part = bottom == 2 ? "half" : bottom == 4 ? "quarter" : grammar.ordinal(bottom, Gender.NONE);
    return grammar.cardinal(found.get("top"), Gender.NONE) + " " + part + (top == 1 ? "" : "s");
  }
}
