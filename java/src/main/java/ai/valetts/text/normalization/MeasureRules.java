package ai.valetts.text.normalization;

import static ai.valetts.text.normalization.Rule.END;
import static ai.valetts.text.normalization.Rule.MINUS;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Amounts of money, percentages, temperatures and everything else that has a unit. */
final class MeasureRules {
  private static final String SPACE = " ?";

  private final Grammar grammar;
  private final Map<String, List<String>> currencies;
  private final Map<String, List<String>> units;
  private final Map<String, String> scales;
  private final Map<String, String> moneyScales;
  private final Set<String> thousand;

  MeasureRules(Grammar grammar) {
    this.grammar = grammar;
    currencies = grammar.vocabulary().entries("currency");
    units = grammar.vocabulary().entries("unit");
    scales = grammar.vocabulary().words("scale");
    moneyScales = grammar.vocabulary().words("money-scale");
    thousand = grammar.vocabulary().set("thousand");
  }

  /** What is counted: one, many, gender, and for money the hundredth part of it. */
  private record Noun(String one, String many, Gender gender) {
    static Noun of(List<String> values) {
      return new Noun(values.get(0), values.get(1), Gender.of(values.get(2)));
    }
  }

  List<Rule> money() {
    String sign = "(?<sign>" + Vocabulary.alternatives(currencies.keySet()) + ")";
    String scale = scale(moneyScales);
    String amount = grammar.style().pattern("amount");
    String upTo = "(?:" + SPACE + "-" + SPACE + grammar.style().pattern("upto") + ")?";
    Map<String, List<String>> named = named();
    return Rule.forDigits(List.of(
        Rule.of("(?<=\\d) ?- ?(?=" + sign + SPACE + "\\d)", found -> " " + grammar.word("to") + " "),
        // "1.500,00 reais"
        Rule.of(MINUS + amount + " (?<name>" + Vocabulary.alternatives(named.keySet()) + ")" + END, found -> {
          WrittenNumber number = grammar.style().parse(found.get("amount"));
          return number.fraction().length() == 2
              ? minus(found.has("minus")) + money(number, named.get(found.get("name")))
              : null;
        }),
        Rule.of(MINUS + Rule.START + sign + SPACE + "(?<inner>-)?" + after(amount) + after(upTo) + scale,
            found -> minus(found.has("minus") || found.has("inner")) + upTo(found) + amount(found, found.has("upto") ? "upto" : "amount")),
        Rule.of(MINUS + amount + scale + SPACE + sign + END, found -> minus(found.has("minus")) + amount(found, "amount"))));
  }

  /** Currencies by the word for many of them, but for words that name a weight too. */
  private Map<String, List<String>> named() {
    Map<String, List<String>> named = new LinkedHashMap<>();
    currencies.values().stream().filter(values -> values.size() > 4).forEach(values -> named.putIfAbsent(values.get(1), values));
    units.values().forEach(values -> named.remove(values.get(1)));
    return named;
  }

  /** The same number where a sign or word stands right before it. */
  private static String after(String number) {
    return number.replace(WrittenNumber.START, "");
  }

  private static String scale(Map<String, String> scales) {
    return scales.isEmpty()
        ? "(?<scale>(?!))?"
        : "(?:" + SPACE + "(?<scale>" + Vocabulary.alternatives(scales.keySet()) + ")" + END + ")?";
  }

  private String minus(boolean is) {
    return is ? grammar.word("minus") + " " : "";
  }

  private String upTo(Found found) {
    if (!found.has("upto")) {
      return "";
    }
    Gender gender = Noun.of(currencies.get(found.get("sign"))).gender;
    return grammar.number(grammar.style().parse(found.get("amount")), gender) + " " + grammar.word("to") + " ";
  }

  private String amount(Found found, String group) {
    List<String> currency = currencies.get(found.get("sign"));
    WrittenNumber number = grammar.style().parse(found.get(group));
    return found.has("scale")
        ? scaled(number, moneyScales.get(found.get("scale")), Noun.of(currency))
        : money(number, currency);
  }

  /** "um vírgula cinco milhão de reais", "three million dollars". */
  private String scaled(WrittenNumber number, String scale, Noun noun) {
    String[] forms = scale.split("/");
    String name = grammar.isSingular(number) || forms.length == 1 ? forms[0] : forms[1];
    boolean thousands = thousand.contains(name);
    String count = thousands && number.isExactly(1) ? "" : grammar.number(number, thousands ? noun.gender : Gender.MASCULINE) + " ";
    return count + name + (thousands ? " " : link()) + noun.many;
  }

  private String link() {
    String of = grammar.word("of");
    return of.isEmpty() ? " " : " " + of + " ";
  }

  private String money(WrittenNumber number, List<String> currency) {
    Noun major = Noun.of(currency);
    boolean inParts = !number.isWhole() && number.fraction().length() < 3 && currency.size() > 4 && number.isQuantity();
    if (!inParts) {
      return counted(number, major);
    }
    WrittenNumber whole = new WrittenNumber(number.whole(), "", '\0');
    int hundredths = Integer.parseInt(number.fraction()) * (number.fraction().length() == 1 ? 10 : 1);
    List<String> parts = new ArrayList<>();
    if (!whole.isExactly(0) || hundredths == 0) {
      parts.add(counted(whole, major));
    }
    if (hundredths > 0) {
      Noun minor = new Noun(currency.get(3), currency.get(4), Gender.MASCULINE);
      parts.add(counted(new WrittenNumber(String.valueOf(hundredths), "", '\0'), minor));
    }
    return grammar.join(parts);
  }

  private String counted(WrittenNumber number, Noun noun) {
    return grammar.number(number, noun.gender)
        + (number.isRoundMillions() ? link() : " ")
        + (grammar.isSingular(number) ? noun.one : noun.many);
  }

  /** "100K seguidores" and "1,2M", but "4K" is a name. */
  Rule shortCounts() {
    Map<String, String> letters = grammar.vocabulary().words("count-scale");
    return Rule.of(grammar.style().pattern("amount").replaceFirst("\\(\\?!\\[\\.,\\]\\?\\\\d\\)$", "")
            + "(?<scale>" + Vocabulary.alternatives(letters.keySet()) + ")" + END, found -> shortCount(found, letters.get(found.get("scale"))));
  }

  private String shortCount(Found found, String scale) {
    WrittenNumber number = grammar.style().parse(found.get("amount"));
    String[] forms = scale.split("/");
    String next = found.wordAfter();
    boolean thousands = found.get("scale").equalsIgnoreCase("k");
    boolean counts = next.matches("\\p{Ll}+s");
    if (thousands && number.isWhole() && number.whole().length() < 2 && !counts) {
      return null;
    }
    String name = grammar.isSingular(number) || forms.length == 1 ? forms[0] : forms[1];
    String count = thousand.contains(name) && number.isExactly(1)
        ? ""
        : grammar.number(number, thousands ? grammar.genderOf(found) : Gender.MASCULINE) + " ";
    return count + name + (!thousands && counts ? link().stripTrailing() : "");
  }

  /** Numbers with a unit, and "per" another unit. */
  List<Rule> units() {
    String unit = Vocabulary.alternatives(units.keySet());
    String per = "(?<per>" + unit + ")(?![\\p{L}\\p{M}\\p{N}²³])";
    return Rule.forDigits(List.of(
        Rule.of(
            MINUS + grammar.style().pattern("amount") + scale(scales) + SPACE + "(?<unit>" + unit
                + ")(?![\\p{L}\\p{M}\\p{N}²³])(?:/" + per + ")?(?:(?<=\\p{L})\\.(?= \\p{Ll}))?",
            this::measure)));
  }

  /** A unit that may stand behind a fraction; named group {@code unit}. */
  String optionalUnit() {
    return "(?: ?(?<unit>" + Vocabulary.alternatives(units.keySet()) + ")(?![\\p{L}\\p{M}\\p{N}²³/]))?";
  }

  /** The found unit for one of it or for many. */
  String unit(Found found, boolean one) {
    return units.get(found.get("unit")).get(one ? 0 : 1);
  }

  Gender unitGender(Found found) {
    return Gender.of(units.get(found.get("unit")).get(2));
  }

  /** "reais/kg", once the amount has been read, and "por kg". */
  List<Rule> perUnit() {
    String per = "(?<per>" + Vocabulary.alternatives(units.keySet()) + ")(?![\\p{L}\\p{M}\\p{N}²³])";
    Set<String> spans = grammar.vocabulary().set("per-noun");
    List<Rule> rules = new ArrayList<>();
    rules.add(
        Rule.of("(?<=\\p{L}{3})/" + per, found ->
            isCurrencyWord(found.wordBefore()) || isUnitWord(found.wordBefore()) ? per(found) : null));
    rules.add(
        Rule.of("(?<=\\p{L}{3})/(?=\\p{Ll}{3})", found ->
            isCurrencyWord(found.wordBefore()) || isUnitWord(found.wordBefore()) && spans.contains(found.wordAfter())
                ? " " + grammar.word("per") + " "
                : null));
    String scaled = Vocabulary.alternatives(scales.keySet());
    if (!scales.isEmpty() && !grammar.word("of").isEmpty()) {
      // "150 milhões de km"
      rules.add(
          Rule.of("(?<=" + Rule.START + scaled + " " + grammar.word("of") + ") (?=\\p{L}{2})" + per,
              found -> " " + units.get(found.get("per")).get(1)));
    }
    List<String> ratios = units.keySet().stream().filter(unit -> unit.indexOf('/') > 0).toList();
    if (!ratios.isEmpty()) {
      rules.add(
          Rule.of(Rule.START + "(?<per>" + Vocabulary.alternatives(ratios) + ")(?![\\p{L}\\p{M}\\p{N}²³/])",
              found -> units.get(found.get("per")).get(1)));
    }
    rules.add(
        Rule.of("(?<=" + Rule.START + grammar.word("per") + ") (?=\\p{L}\\S)" + per,
            found -> " " + units.get(found.get("per")).get(0)));
    return rules;
  }

  /** The last word of a unit's name. */
  private boolean isUnitWord(String word) {
    return !word.isEmpty()
        && units.values().stream().anyMatch(values -> (" " + values.get(0)).endsWith(" " + word) || (" " + values.get(1)).endsWith(" " + word));
  }

  private boolean isCurrencyWord(String word) {
    return currencies.values().stream().anyMatch(values -> values.contains(word));
  }

  private String per(Found found) {
    return " " + grammar.word("per") + " " + units.get(found.get("per")).get(0);
  }

  private String measure(Found found) {
    Noun unit = Noun.of(units.get(found.get("unit")));
    WrittenNumber number = grammar.style().parse(found.get("amount"));
    String measure =
        found.has("scale") ? scaled(number, scales.get(found.get("scale")), unit) : counted(number, unit);
    return minus(found.has("minus")) + measure + (found.has("per") ? per(found) : "");
  }
}
