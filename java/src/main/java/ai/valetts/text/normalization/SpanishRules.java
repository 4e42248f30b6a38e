package ai.valetts.text.normalization;

import static ai.valetts.text.normalization.Rule.END;
import static ai.valetts.text.normalization.Rule.MINUS;
import static ai.valetts.text.normalization.Rule.START;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;

/** What Spanish writes in its own way: telephone numbers, hours, ordinals, fractions. */
final class SpanishRules {
  private final Grammar grammar;

  SpanishRules(Grammar grammar) {
    this.grammar = grammar;
  }

  /**
   * @param tag language tag, e.g. {@code es-419}
   */
  static List<Rule> all(String tag) {
    boolean european = tag.equals("es") || tag.equals("es-es");
    Grammar grammar = new SpanishGrammar(Vocabulary.read("es.tsv"), european);
    Acronyms acronyms = new Acronyms(grammar);
    MeasureRules measures = new MeasureRules(grammar);
    NumberRules numbers = new NumberRules(grammar, acronyms);
    SpanishRules own = new SpanishRules(grammar);
    List<Rule> rules = new ArrayList<>();
    rules.addAll(new AddressRules(grammar, acronyms).rules());
    rules.addAll(Rule.forDigits(numbers.pairs()));
    rules.addAll(Rule.forDigits(own.clock()));
    rules.addAll(new AbbreviationRules(grammar.vocabulary()).rules());
    rules.addAll(Rule.forDigits(numbers.names()));
    rules.addAll(Rule.forDigits(own.telephones()));
    rules.addAll(Rule.forDigits(new DateRules(grammar, false).rules()));
    rules.addAll(Rule.forDigits(numbers.maths()));
    rules.addAll(measures.money());
    rules.addAll(Rule.forDigits(own.ordinals()));
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
    String half = "(?: ?(?<half>[ap])\\.? ?m(?:\\.|\\b))?";
    return List.of(
        Rule.of(
            START + "(?<![.,:]|\\d[.,:/-])(?<hours>[01]?\\d|2[0-4])\\.(?<minutes>[0-5]\\d) ?(?:h|hs|hrs|horas)" + END,
            this::clock),
        // "$500 MXN" names its currency twice.
        Rule.of("\\$ ?(?=\\d[\\d.,]* ?(?:MXN|USD|ARS|COP|CLP|UYU)" + END + ")", found -> ""),
        Rule.ofAnyCase(
            START + "(?<![.,:]|\\d[.,:/-])(?<hours>[01]?\\d|2[0-4]):(?<minutes>[0-5]\\d)(?::(?<seconds>[0-5]\\d))?" + half + "(?: ?h)?" + END + "(?![:.,/]\\d)",
            this::clock),
        Rule.ofAnyCase(START + "(?<!\\d[.,:/-])(?<hours>1[0-2]|[1-9])" + half.replace(")?", ")").replace("(?:\\.|\\b))", "(?:\\.|\\b))"), this::clock),
        Rule.of(START + "(?<hours>\\d{1,3}) ?h ?(?<minutes>[0-5]?\\d)(?: ?min)?(?: ?(?<seconds>[0-5]?\\d) ?s)?" + END,
            found -> grammar.time(number(found, "hours"), number(found, "minutes"), number(found, "seconds"))),
        Rule.of(START + "(?<![.,:])(?<hours>\\d{1,3}) ?(?:h|hs|hrs)" + END + "(?:\\.(?=[ ,]\\p{Ll}))?",
            found -> grammar.time(number(found, "hours"), -1, -1)));
  }

  private static int number(Found found, String group) {
    return found.has(group) ? found.number(group) : -1;
  }

  /** "catorce treinta", "nueve cero cinco", "veintiuna horas"; after an article no "horas" is needed. */
  private String clock(Found found) {
    int minutes = number(found, "minutes");
    List<String> words = new ArrayList<>();
    words.add(grammar.cardinal(String.valueOf(found.number("hours")), Gender.FEMININE));
    if (minutes > 0) {
      words.add((minutes < 10 ? "cero " : "") + grammar.cardinal(String.valueOf(minutes), Gender.NONE));
    } else if (!found.has("half") && !found.wordBefore().toLowerCase(Locale.ROOT).matches("las?")) {
      words.add(found.number("hours") == 1 ? "hora" : "horas");
    }
    if (found.has("seconds")) {
      words.add("y " + grammar.cardinal(found.get("seconds"), Gender.MASCULINE) + " segundos");
    }
    if (found.has("half")) {
      boolean night = found.number("hours") > 7 && found.number("hours") < 12;
      boolean morning = found.get("half").equalsIgnoreCase("a");
      words.add("de la " + (morning ? "mañana" : night ? "noche" : "tarde"));
    }
    return String.join(" ", words) + (found.has("half") && found.all().endsWith(".") && found.endsText() ? "." : "");
  }

  private List<Rule> telephones() {
    String end = END + "(?![.,/-]?\\d)";
    return List.of(
        Rule.of("(?<![\\p{L}\\p{N}])\\+(?<country>\\d{1,3})(?<rest>(?:[ -]?\\(?\\d{1,5}\\)?){2,6})" + end,
            found -> "más " + grammar.cardinal(found.get("country"), Gender.NONE) + ", " + groups(found.get("rest"))),
        Rule.of(START + "(?<!\\d[.,/-])[6-9]\\d{2}[ -]\\d{3}[ -]\\d{3}" + end, found -> groups(found.all())),
        Rule.of(START + "(?<!\\d[.,/-])[6-9]\\d{2}(?:[ -]\\d{2}){3}" + end, found -> groups(found.all())),
        Rule.of(START + "(?<!\\d[.,/-])9\\d[ -]\\d{3}[ -]\\d{2}[ -]\\d{2}" + end, found -> groups(found.all())),
        Rule.of("(?<![\\p{L}\\p{N}])\\(?\\d{2,3}\\)?[ -]\\d{4}[ -]\\d{4}" + end, found -> groups(found.all())),
        Rule.of(START + "(?<!\\d[.,/-])(?<first>\\d{4})-(?<last>\\d{4})" + end,
            found -> isYears(found.get("first"), found.get("last")) ? null : groups(found.all())),
        Rule.ofAnyCase("(?<word>" + START + "(?:llame al?|marque el|llama al|tel(?:éfono)?:?) )(?<digits>\\d{3})" + END + "(?![.,-]\\d)",
            found -> found.get("word") + grammar.dictated(found.get("digits"))));
  }

  private static boolean isYears(String first, String last) {
    return first.matches("1\\d{3}|20\\d{2}") && last.matches("1\\d{3}|20\\d{2}") && first.compareTo(last) < 0;
  }

  private String groups(String digits) {
    StringJoiner groups = new StringJoiner(", ");
    for (String group : digits.split("\\D+")) {
      if (!group.isEmpty()) {
        groups.add(grammar.dictated(group));
      }
    }
    return groups.toString();
  }

  private List<Rule> ordinals() {
    return List.of(
        Rule.of(START + "(?<!\\d[.,])(?<number>\\d{1,3}(?:[.,]\\d{3}){1,2}|\\d{1,4})\\.?(?<sign>er|ers|[ºª°](?= ?(?:lugar|piso|puesto|de|grado|planta))|[ºª])(?! ?[CF]" + END + ")(?<plural>s)?", this::ordinal),
        Rule.of(START + "(?<number>1|3)(?<sign>r[oa]|er)" + END, this::ordinal),
        Rule.of(START + "(?<number>\\d{1,3})(?<sign>[dntv][oa]|m[oa])" + END, this::ordinal));
  }

  private String ordinal(Found found) {
    String sign = found.get("sign");
    boolean feminine = sign.equals("ª") || sign.endsWith("a");
    String word = grammar.ordinal(Integer.parseInt(found.get("number").replaceAll("[.,]", "")), feminine ? Gender.FEMININE : Gender.MASCULINE);
    boolean cut = sign.startsWith("er") || found.wordAfter().matches("piso|lugar|puesto|día|mes|año|ministro|grado|premio|trimestre|semestre");
    String fitted = cut && !feminine ? word.replaceFirst("(primer|tercer)o$", "$1") : word;
    return fitted + (found.has("plural") ? "s" : "");
  }

  private List<Rule> fractions(MeasureRules measures) {
    String unit = measures.optionalUnit();
    String guard = END + "(?![/.,-]\\d)";
    return List.of(
        Rule.of(MINUS + START + "(?<!\\d[/.,-])(?<whole>\\d{1,4}) (?<top>[1-9]\\d?)/(?<bottom>[2-9]|1[0-6])" + unit + guard,
            found -> found.number("top") < found.number("bottom") ? minus(found) + mixed(found, measures) : null),
        Rule.of(MINUS + START + "(?<!\\d[/.,-])(?<top>[1-9]\\d?)/(?<bottom>[2-9]|10|100|1000)" + unit + guard,
            found -> found.number("top") < found.number("bottom") ? minus(found) + fraction(found, measures) : null),
        Rule.of(START + "(?<!\\d[/.,-])(?<a>\\d{1,3})/(?<b>\\d{1,3})" + guard,
            found -> found.get("a") + " sobre " + found.get("b")));
  }

  private String minus(Found found) {
    return found.has("minus") ? grammar.word("minus") + " " : "";
  }

  private Gender gender(Found found, MeasureRules measures) {
    return found.has("unit") ? measures.unitGender(found) : grammar.genderOf(found);
  }

  private String mixed(Found found, MeasureRules measures) {
    String whole = grammar.cardinal(found.get("whole"), gender(found, measures));
    boolean half = found.number("top") == 1 && found.number("bottom") == 2;
    String unit = found.has("unit") && half ? " " + measures.unit(found, found.number("whole") < 2) : "";
    return whole + " y " + (half ? half(found, measures) + unit : fraction(found, measures));
  }

  private String half(Found found, MeasureRules measures) {
    return gender(found, measures) == Gender.FEMININE ? "media" : "medio";
  }

  private String fraction(Found found, MeasureRules measures) {
    int top = found.number("top");
    int bottom = found.number("bottom");
    if (top == 1 && bottom == 2) {
      return half(found, measures) + (found.has("unit") ? " " + measures.unit(found, true) : "");
    }
    // "tres cuartas partes"
    boolean ofParts = found.wordAfter().matches("partes?");
    if (ofParts) {
      return grammar.cardinal(found.get("top"), Gender.FEMININE) + " "
          + grammar.ordinal(bottom, Gender.FEMININE) + (top == 1 ? "" : "s");
    }
    String part = bottom == 3 ? "tercio" : grammar.ordinal(bottom, Gender.MASCULINE);
    return grammar.cardinal(found.get("top"), Gender.MASCULINE) + " " + part + (top == 1 ? "" : "s")
        + (found.has("unit") ? " de " + measures.unit(found, true) : "");
  }
}
