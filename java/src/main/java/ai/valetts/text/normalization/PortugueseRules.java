package ai.valetts.text.normalization;

import static ai.valetts.text.normalization.Rule.END;
import static ai.valetts.text.normalization.Rule.MINUS;
import static ai.valetts.text.normalization.Rule.START;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/** What only Brazil writes this way: telephone numbers, documents, hours with "h", ordinal signs, fractions. */
final class PortugueseRules {
  private static final Map<String, String> PARTS_OF_A_YEAR = Map.of("sem", "semestre", "trim", "trimestre", "bim", "bimestre");
  private static final Map<String, String> WEEKDAYS =
      Map.of("2", "segunda", "3", "terça", "4", "quarta", "5", "quinta", "6", "sexta");

  /** The dot of an abbreviation, which ends no sentence. */
  private static final String SILENT_DOT = "(?:\\.(?= \\p{Ll}))?";

  private final Grammar grammar;

  PortugueseRules(Grammar grammar) {
    this.grammar = grammar;
  }

  static List<Rule> all() {
    Grammar grammar = new PortugueseGrammar(Vocabulary.read("pt.tsv"));
    Acronyms acronyms = new Acronyms(grammar);
    MeasureRules measures = new MeasureRules(grammar);
    NumberRules numbers = new NumberRules(grammar, acronyms);
    PortugueseRules own = new PortugueseRules(grammar);
    List<Rule> rules = new ArrayList<>();
    rules.addAll(new AddressRules(grammar, acronyms).rules());
    rules.addAll(Rule.forDigits(own.beforeAbbreviations()));
    rules.addAll(own.weekdays());
    rules.addAll(own.states());
    rules.addAll(new AbbreviationRules(grammar.vocabulary()).rules());
    rules.addAll(Rule.forDigits(own.documents()));
    rules.addAll(Rule.forDigits(own.mobiles()));
    rules.addAll(Rule.forDigits(numbers.names()));
    rules.addAll(Rule.forDigits(own.telephones()));
    rules.addAll(Rule.forDigits(numbers.pairs()));
    rules.addAll(Rule.forDigits(new DateRules(grammar, false).rules()));
    rules.addAll(Rule.forDigits(own.hours()));
    rules.addAll(Rule.forDigits(numbers.maths()));
    rules.addAll(measures.money());
    rules.addAll(Rule.forDigits(own.ordinals()));
    rules.addAll(Rule.forDigits(numbers.between()));
    rules.addAll(Rule.forDigits(own.fractions(measures)));
    rules.addAll(Rule.forDigits(numbers.slashes()));
    rules.addAll(Rule.forDigits(own.heights()));
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

  /** What has letters or dots that would be taken for an abbreviation or the end of a sentence. */
  private List<Rule> beforeAbbreviations() {
    Map<String, String> spans = Map.of("a", "ano", "m", "mês", "d", "dia");
    return List.of(
        Rule.ofAnyCase("(?<=\\d[ºª°oa]) ?(?<part>sem|trim|bim)(?:\\.(?!/)|\\.?/(?=(?:20)?\\d{2}" + END + ")|(?= de \\d))", found ->
            " " + PARTS_OF_A_YEAR.get(found.get("part").toLowerCase(Locale.ROOT)) + (found.all().endsWith("/") ? " de " : "")),
        Rule.of("(?<=%) ?a\\.(?<span>[amd])\\.", found ->
            " ao " + spans.get(found.get("span")) + (found.endsText() ? "." : "")),
        Rule.of(START + "(?<!\\d )[Kk]m (?=\\d)", found -> "quilômetro "),
        Rule.of(START + "1[ºo°]/(?=\\d{1,2}(?:/\\d{2}(?:\\d{2})?)?" + END + ")", found -> "01/"),
        Rule.of(
            START + "(?<degrees>\\d{1,3})[°º] ?(?<minutes>\\d{1,2})['’′](?: ?(?<seconds>\\d{1,2})[\"”″])? ?(?<pole>[NSLEWO]" + END + ")?",
            this::angle));
  }

  private List<Rule> weekdays() {
    String weekday = Vocabulary.alternatives(grammar.vocabulary().entries("weekday-short").keySet());
    return List.of(
        // Two of them or more: "seg." alone may be seconds, "sex." the end of a sentence.
        Rule.ofAnyCase(START + "(?<!\\d ?)(?<day>" + weekday + ")\\.(?=(?:,| e| a| à| ou|/|-) ?" + weekday + "(?!\\p{L}))|(?<=" + START + weekday
                + "\\.(?:,| e| a| à| ou|/|-) ?)(?<other>" + weekday + ")(?:\\.|" + END + ")",
            found -> grammar.vocabulary().word("weekday-short", found.get(found.has("day") ? "day" : "other").toLowerCase(Locale.ROOT))
                + (found.all().endsWith(".") && found.endsText() ? "." : "")));
  }

  private static final Map<String, String> POLES =
      Map.of("N", "norte", "S", "sul", "L", "leste", "E", "leste", "W", "oeste", "O", "oeste");

  private String angle(Found found) {
    List<String> parts = new ArrayList<>();
    parts.add(counted(found, "degrees", "grau"));
    parts.add(counted(found, "minutes", "minuto"));
    if (found.has("seconds")) {
      parts.add(counted(found, "seconds", "segundo"));
    }
    return grammar.join(parts) + (found.has("pole") ? " " + POLES.get(found.get("pole")) : "");
  }

  private String counted(Found found, String group, String noun) {
    return grammar.cardinal(found.get(group), Gender.MASCULINE) + " " + noun + (found.number(group) == 1 ? "" : "s");
  }

  /** "Curitiba/PR" and "Campinas - SP": the state behind a name. */
  private List<Rule> states() {
    Map<String, String> states = grammar.vocabulary().words("state");
    return List.of(
        Rule.of("(?<=\\p{Ll})(?:/| ?- ?)(?<state>" + Vocabulary.alternatives(states.keySet()) + ")" + END + "(?!-)", found ->
            found.wordBefore().codePoints().limit(1).anyMatch(Character::isUpperCase)
                ? ", " + states.get(found.get("state"))
                : null));
  }

  /** CPF, CNPJ and CEP, figure by figure. */
  private List<Rule> documents() {
    return List.of(
        Rule.of(START + "(\\d{2})\\.(\\d{3})\\.(\\d{3})/(\\d{4})-(\\d{2})" + END,
            found -> dictated(found.all().replace("/", " barra ").replaceAll("[.-]", " "))),
        Rule.of(START + "(\\d{3})\\.(\\d{3})\\.(\\d{3})-(\\d{2})" + END,
            found -> dictated(found.all().replaceAll("[.-]", " "))),
        Rule.of(START + "(?<!\\d[./-])(\\d{5}|\\d{2}\\.\\d{3})-(\\d{3})" + END + "(?![./-]\\d)",
            found -> dictated(found.all().replace(".", "").replace("-", " "))),
        // Identity cards, whose check figure may be an X.
        Rule.of(START + "(?<!\\d[./-])\\d{1,2}\\.\\d{3}\\.\\d{3}-[\\dXx]" + END + "(?![./-]\\d)",
            found -> dictated(found.all().replaceAll("[.-]", " ").replaceFirst("[Xx]$", "xis"))),
        // Bank accounts and branches.
        Rule.of(START + "(?<!\\d[./,-])\\d{5,12}-[\\dXx]" + END + "(?![./-]\\d)",
            found -> dictated(found.all().replace("-", " ").replaceFirst("[Xx]$", "xis"))),
        Rule.ofAnyCase("(?<=" + START + "(?:agência|conta|corrente) )\\d{4}-[\\dX]" + END + "(?![./-]\\d)",
            found -> dictated(found.all().replace("-", " ").replaceFirst("[Xx]$", "xis"))),
        // The number of a lawsuit.
        Rule.of(START + "\\d{7}-\\d{2}\\.\\d{4}\\.\\d\\.\\d{2}\\.\\d{4}" + END,
            found -> dictated(found.all().replaceAll("[.-]", " "))),
        // The number of a worker.
        Rule.of(START + "\\d{3}\\.\\d{5}\\.\\d{2}-\\d" + END, found -> dictated(found.all().replaceAll("[.-]", " "))));
  }

  /** Groups of figures with a pause between; words stand for themselves. */
  private String dictated(String groups) {
    StringBuilder words = new StringBuilder();
    for (String group : groups.strip().split(" +")) {
      boolean figures = Character.isDigit(group.charAt(0));
      boolean afterWord = words.toString().endsWith("barra");
      words.append(words.length() == 0 ? "" : afterWord ? " " : ", ").append(figures ? grammar.dictated(group) : group);
    }
    return words.toString();
  }

  /** A mobile number in one run, perhaps with the country before it, and any number that a word calls a telephone's. */
  private List<Rule> mobiles() {
    String start = START + "(?<!\\d[ .,/-]|[$€£+])(?<country>55)?(?<a>[1-9]\\d)";
    String end = END + "(?![.,/-]\\d| (?:mil|milh|bilh|rea[li]|dólar|euro))";
    return List.of(
        Rule.of(start + "(?<first>9\\d{4})(?<last>\\d{4})" + end, this::mobile),
        Rule.ofAnyCase("(?<=" + START + Vocabulary.alternatives(grammar.vocabulary().set("telephone")) + "(?: é|:| é o)? )" + "(?:(?<country>55)?(?<a>[1-9]\\d))?(?<first>9?[2-9]\\d{3})(?<last>\\d{4})"
            + end, this::mobile));
  }

  private String mobile(Found found) {
    return (found.has("country") ? "cinquenta e cinco, " : "") + (found.has("a") ? areaCode(found.get("a")) + ", " : "")
        + number(found);
  }

  private List<Rule> telephones() {
    String number = "(?<first>9?\\d{4})[ .-]?(?<last>\\d{4})" + END + "(?![.,/-]\\d)";
    return List.of(
        Rule.of("(?<![\\p{L}\\p{N}])\\+ ?55 ?(?:\\((?<a>\\d{2})\\)|(?<b>\\d{2}))[ -]?" + number, found ->
            "mais cinquenta e cinco, " + areaCode(found.has("a") ? found.get("a") : found.get("b")) + ", " + number(found)),
        Rule.of("(?<![\\p{L}\\p{N}])\\((?<a>0?\\d{2})\\) ?" + number, found -> areaCode(found.get("a")) + ", " + number(found)),
        Rule.of(START + "(?<!\\d[.,/-])(?<a>0?[1-9]\\d)[ -](?<first>9?\\d{4})-(?<last>\\d{4})" + END + "(?![.,/-]\\d)",
            found -> areaCode(found.get("a")) + ", " + number(found)),
        Rule.of(START + "(?<!\\d[.,/-])(?<first>9?\\d{4})-(?<last>\\d{4})" + END + "(?![.,/-]\\d)",
            found -> isYears(found.get("first"), found.get("last")) ? null : number(found)),
        Rule.of(START + "(?<prefix>0[3589]00)[ -]?(?<first>\\d{3})[ .-]?(?<middle>\\d{2})[ .-](?<last>\\d{2})" + END,
            found -> "zero " + grammar.cardinal(found.get("prefix").substring(1), Gender.MASCULINE) + ", "
                + dictated(found.get("first") + " " + found.get("middle") + " " + found.get("last"))),
        Rule.of(START + "(?<prefix>0[3589]00)[ -]?(?<first>\\d{3})[ -]?(?<last>\\d{3,4})" + END,
            found -> "zero " + grammar.cardinal(found.get("prefix").substring(1), Gender.MASCULINE) + ", " + number(found)),
        Rule.of(START + "(?<prefix>0[3589]00)" + END,
            found -> "zero " + grammar.cardinal(found.get("prefix").substring(1), Gender.MASCULINE)),
        Rule.of("(?<![\\p{L}\\p{N}])\\+(?<country>\\d{1,3})(?<rest>(?:[ -]\\(?\\d{1,5}\\)?){2,6})" + END,
            found -> "mais " + grammar.cardinal(found.get("country"), Gender.MASCULINE) + ", "
                + dictated(found.get("rest").replaceAll("[()-]", " "))),
        Rule.ofAnyCase("(?<word>" + START + "(?:disque|ligue|ligue para o?|discar|tel(?:efone)?:?) )(?<digits>\\d{3})" + END + "(?![.,-]\\d)",
            found -> found.get("word") + grammar.dictated(found.get("digits"))));
  }

  private String number(Found found) {
    return grammar.dictated(found.get("first")) + ", " + grammar.dictated(found.get("last"));
  }

  private String areaCode(String digits) {
    return digits.startsWith("0")
        ? "zero " + grammar.cardinal(digits.substring(1), Gender.MASCULINE)
        : grammar.cardinal(digits, Gender.MASCULINE);
  }

  private static boolean isYears(String first, String last) {
    return first.length() == 4 && first.matches("1\\d{3}|20\\d{2}") && last.matches("1\\d{3}|20\\d{2}")
        && first.compareTo(last) < 0;
  }

  private List<Rule> hours() {
    String clock = "\\d{1,2}(?:h(?:\\d{2})?(?:min)?|:\\d{2})";
    return List.of(
        Rule.ofAnyCase(
            START + "(?<![.,:]|\\d[.,:/-])(?<hours>1[0-2]|0?[1-9])(?::(?<minutes>[0-5]\\d))? ?(?:(?<half>[ap])m|(?<dotted>[ap])\\. ?m\\.)" + END,
            this::halfDay),
        Rule.of(START + "(?<!\\d[.,:/-])(?<minutes>\\d{1,3})['’′](?<seconds>[0-5]\\d)[\"”″]", this::time),
        Rule.of(START + "(?<!\\d[.,:/-])(?<feet>\\d)['’′] ?(?<inches>\\d)[\"”″]",
            found -> counted(found, "feet", "pé") + " e " + inches(found.get("inches"))),
        // A quote that is open may end behind a number too.
        Rule.of(START + "(?<!\\d[.,:/-])(?<inches>\\d{1,3}(?:[.,]\\d)?)[\"”″]", found ->
            found.isInQuotes() ? null : inches(found.get("inches"))),
        Rule.of(START + "(?<start>" + clock + ") ?- ?(?=" + clock + END + ")", found -> found.get("start") + " às "),
        Rule.of(START + "(?<hours>\\d{1,2}) ?- ?(?=\\d{1,2} ?h(?:s|oras)?" + END + ")",
            found -> grammar.cardinal(found.get("hours"), Gender.FEMININE) + " às "),
        Rule.of(
            START + "(?<hours>\\d{1,3}) ?(?:h|hs|hrs|horas?) ?(?:e )?(?<minutes>[0-5]?\\d)(?: ?(?:m|min|minutos?)(?:\\.(?=\\S))?(?: ?(?:e )?(?<seconds>[0-5]?\\d) ?(?:s|seg|segundos?))?)" + END,
            this::time),
        Rule.of(START + "(?<hours>\\d{1,3}) ?h ?(?<minutes>[0-5]\\d)(?:['’′]|" + END + ")", this::time),
        Rule.of(
            START + "(?<![.,:]|\\d[.,:/-])(?<hours>[01]?\\d|2[0-4]):(?<minutes>[0-5]\\d)(?::(?<seconds>[0-5]\\d))?(?: ?(?:h|hs|hrs|horas))?" + END + "(?![:.,/]\\d)",
            this::time),
        Rule.of(START + "(?<![.,:])(?<hours>\\d{1,3}) ?(?:h|hs|hrs|hr)" + END + SILENT_DOT, this::time),
        Rule.of(START + "(?<minutes>\\d{1,3}) ?min ?(?:e )?(?<seconds>[0-5]?\\d) ?(?:s|seg)" + END + "", this::time));
  }

  private String inches(String number) {
    WrittenNumber inches = grammar.style().parse(number);
    return grammar.number(inches, Gender.FEMININE) + (grammar.isSingular(inches) ? " polegada" : " polegadas");
  }

  /** "8 a.m." is "oito horas da manhã", "12 p.m." is "meio-dia". */
  private String halfDay(Found found) {
    boolean morning = found.get(found.has("half") ? "half" : "dotted").equalsIgnoreCase("a");
    String end = found.all().endsWith(".") && found.endsText() ? "." : "";
    int hours = found.number("hours");
    int minutes = found.has("minutes") ? found.number("minutes") : 0;
    if (hours == 12 && minutes == 0) {
      return (morning ? "meia-noite" : "meio-dia") + end;
    }
    boolean evening = hours > 6 && hours < 12;
    return grammar.time(morning && hours == 12 ? 0 : hours, minutes, -1)
        + (morning ? " da manhã" : evening ? " da noite" : " da tarde") + end;
  }

  private String time(Found found) {
    return grammar.time(
        found.has("hours") ? found.number("hours") : -1,
        found.has("minutes") ? found.number("minutes") : -1,
        found.has("seconds") ? found.number("seconds") : -1);
  }

  private List<Rule> ordinals() {
    return List.of(
        Rule.ofAnyCase(START + "(?<day>[2-6])(?:\\.?[ªa]s?)?(?<plural>s)?(?<=[ªas])[ -](?<feira>feiras?)" + END,
            found -> WEEKDAYS.get(found.get("day")) + (found.get("feira").endsWith("s") ? "s-" : "-") + found.get("feira")),
        Rule.of(START + "(?<!\\d[.,])(?<number>\\d{1,3}(?:\\.\\d{3}){1,2}|\\d{1,6})\\.?(?<sign>[ºª])(?! ?[CF]" + END + ")(?<plural>s)?" + SILENT_DOT, found ->
            grammar.ordinal(Integer.parseInt(found.get("number").replace(".", "")), gender(found.get("sign")))
                + (found.has("plural") ? "s" : "")),
        Rule.of(START + "(?<number>\\d{1,4})°(?= (?:lugar|andar|ano|dia|turno|semestre|bimestre|trimestre|grau|colocado|de "
            + Vocabulary.alternatives(grammar.vocabulary().words("month").values()) + ")" + END + ")",
            found -> grammar.ordinal(found.number("number"), Gender.MASCULINE)),
        Rule.of(START + "(?<number>\\d{1,3})(?<sign>[oa])(?<plural>s)?" + END + SILENT_DOT, found ->
            found.number("number") == 0
                ? null
                : grammar.ordinal(found.number("number"), gender(found.get("sign"))) + (found.has("plural") ? "s" : "")));
  }

  private static Gender gender(String sign) {
    return sign.equals("º") || sign.equals("o") ? Gender.MASCULINE : Gender.FEMININE;
  }

  /** "1,80 m" is "um metro e oitenta". */
  private List<Rule> heights() {
    return List.of(
        Rule.of(START + "(?<!\\d[.,]|-)(?:(?<metres>[1-9]\\d?),(?<centimetres>\\d{2}) ?m(?![\\p{L}\\p{M}\\p{N}²³/])|(?<m>[1-9])m(?<cm>\\d{2})" + END + ")", found -> {
          String m = found.has("m") ? "m" : "metres";
          String cm = found.has("cm") ? "cm" : "centimetres";
          String metres = counted(found, m, "metro");
          return found.number(cm) == 0 ? metres : metres + " e " + grammar.cardinal(String.valueOf(found.number(cm)), Gender.MASCULINE);
        }));
  }

  private List<Rule> fractions(MeasureRules measures) {
    String unit = measures.optionalUnit();
    String guard = END + "(?![/.,-]\\d)";
    return List.of(
        Rule.of(MINUS + START + "(?<!\\d[/.,-])(?<whole>\\d{1,4}) (?<top>[1-9]\\d?)/(?<bottom>[2-9]|1[0-6])" + unit + guard,
            found -> found.number("top") < found.number("bottom") ? minus(found) + mixed(found, measures) : null),
        Rule.of(MINUS + START + "(?<!\\d[/.,-])(?<top>[1-9]\\d{0,2})/(?<bottom>[2-9]|[1-9]\\d|100|1000)" + unit + guard,
            found -> found.number("top") < found.number("bottom") && !isLabelled(found)
                ? minus(found) + fraction(found, measures)
                : null),
        Rule.of(START + "(?<!\\d[/.,-])(?<a>\\d{1,3})/(?<b>\\d{1,3})" + guard,
            found -> isLabelled(found) ? null : found.get("a") + " por " + found.get("b")));
  }

  private String minus(Found found) {
    return found.has("minus") ? grammar.word("minus") + " " : "";
  }

  /** "Lei 11/90", "sala 3/4": a word before it says that it is a name. */
  private boolean isLabelled(Found found) {
    return grammar.vocabulary().set("slashed-name").contains(found.wordBefore().toLowerCase(Locale.ROOT));
  }

  private Gender gender(Found found, MeasureRules measures) {
    return found.has("unit") ? measures.unitGender(found) : grammar.genderOf(found);
  }

  private String mixed(Found found, MeasureRules measures) {
    String whole = grammar.cardinal(found.get("whole"), gender(found, measures));
    boolean half = found.number("top") == 1 && found.number("bottom") == 2;
    String unit = found.has("unit") && half ? " " + measures.unit(found, found.number("whole") < 2) : "";
    return whole + " e " + (half ? half(found, measures) + unit : fraction(found, measures));
  }

  private String half(Found found, MeasureRules measures) {
    return gender(found, measures) == Gender.FEMININE ? "meia" : "meio";
  }

  private String fraction(Found found, MeasureRules measures) {
    if (found.number("top") == 1 && found.number("bottom") == 2) {
      return half(found, measures) + (found.has("unit") ? " " + measures.unit(found, true) : "");
    }
    return fraction(found.number("top"), found.number("bottom"))
        + (found.has("unit") ? " de " + measures.unit(found, true) : "");
  }

  private String fraction(int top, int bottom) {
    String plural = top == 1 ? "" : "s";
    StringJoiner words = new StringJoiner(" ");
    words.add(grammar.cardinal(String.valueOf(top), Gender.MASCULINE));
    if (bottom == 2) {
      words.add("meio" + plural);
    } else if (bottom == 3) {
      words.add("terço" + plural);
    } else if (bottom <= 10 || bottom == 100 || bottom == 1000) {
      words.add(grammar.ordinal(bottom, Gender.MASCULINE).toLowerCase(Locale.ROOT) + plural);
    } else {
      words.add(grammar.cardinal(String.valueOf(bottom), Gender.MASCULINE)).add("avos");
    }
    return words.toString();
  }
}
