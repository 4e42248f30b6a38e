package ai.valetts.text.normalization;

import static ai.valetts.text.normalization.Rule.END;
import static ai.valetts.text.normalization.Rule.MINUS;
import static ai.valetts.text.normalization.Rule.START;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What is left of numbers once dates, amounts and the like are read: ranges, scores, codes, fractions, quantities. */
final class NumberRules {
  private static final Pattern RUN = Pattern.compile("\\d++|\\p{L}[\\p{L}\\p{M}]*+");
  private static final int LONGEST_CODE_NUMBER = 3;
  private static final int LARGEST_SCORE = 30;
  private static final int SHORTEST_NAME = 4;
  private static final int SHORTEST_UNGROUPED_NAME = 10;

  private final Grammar grammar;
  private final Acronyms acronyms;

  NumberRules(Grammar grammar, Acronyms acronyms) {
    this.grammar = grammar;
    this.acronyms = acronyms;
  }

  /** Comparisons, powers, products and fractions without a whole part; the numbers stay for later rules. */
  List<Rule> maths() {
    Map<String, String> comparisons = grammar.vocabulary().words("comparison");
    String currency = Vocabulary.alternatives(grammar.vocabulary().entries("currency").keySet());
    return List.of(
        // "<5>" and the end of a mark-up tag compare nothing.
        Rule.of("(?<=^|[\\s(]|\\d|" + START + "\\p{L})(?<sign>" + Vocabulary.alternatives(comparisons.keySet()) + ")(?= ?(?:" + currency
                + " ?)?[-+]?[.,]?\\d)(?! ?[\\d.,]{1,30}>)",
            found -> " " + comparisons.get(found.get("sign")) + " "),
        Rule.of("(?<=[\\p{N})]|" + START + "\\p{L})\\^(?<open>\\()?(?<minus>-)?(?<exponent>\\d{1,9}|\\p{L})" + END + "\\)?",
            found -> " " + grammar.word("power") + " " + (found.has("minus") ? grammar.word("minus") + " " : "")
                + found.get("exponent") + (found.all().endsWith(")") && !found.has("open") ? ")" : "")),
        Rule.of("(?<=\\d)(?:\\*| \\* )(?=\\d)", found -> product()),
        Rule.of("(?<=^|[\\s(])" + MINUS + "\\.(?<fraction>\\d{1,30})" + END + "(?![.,]\\d)",
            found -> (found.has("minus") ? grammar.word("minus") + " " : "") + grammar.separator('.') + " "
                + grammar.fraction(found.get("fraction"))));
  }

  private String product() {
    return " " + grammar.vocabulary().word("symbol", "×") + " ";
  }

  /** The sign between two numbers that are no fraction, date or score. It is no noun that the first would agree with. */
  List<Rule> slashes() {
    return List.of(
        Rule.of(grammar.style().pattern("number") + "/(?=\\d)",
            found -> grammar.number(grammar.style().parse(found.get("number")), Gender.NONE) + " " + grammar.word("slash") + " "),
        Rule.of("(?<=\\d)/(?=\\d)", found -> " " + grammar.word("slash") + " "));
  }

  /** "anos 60/70" and chapters and verses: what a word before two numbers says of the sign between them. */
  List<Rule> pairs() {
    List<Rule> pairs = new ArrayList<>();
    Set<String> decades = grammar.vocabulary().set("decade");
    if (!decades.isEmpty()) {
      pairs.add(Rule.ofAnyCase("(?<=" + START + Vocabulary.alternatives(decades) + " )(?<a>[1-9]0)/(?<b>[1-9]0)" + END, found ->
          grammar.cardinal(found.get("a"), Gender.NONE) + " " + grammar.word("and") + " " + grammar.cardinal(found.get("b"), Gender.NONE)));
    }
    pairs.add(
        Rule.of("(?<=" + START + Vocabulary.alternatives(grammar.vocabulary().set("scripture"))
                + " )(?<chapter>\\d{1,3}):(?<verse>\\d{1,3})(?: ?- ?(?<last>\\d{1,3}))?" + END + "(?![:.,]?\\d)",
            found -> grammar.cardinal(found.get("chapter"), Gender.NONE) + " " + grammar.cardinal(found.get("verse"), Gender.NONE)
                + (found.has("last") ? " " + grammar.word("to") + " " + grammar.cardinal(found.get("last"), Gender.NONE) : "")));
    return pairs;
  }

  /** Signs between two numbers become words; the numbers stay for later rules, which know what they count. */
  List<Rule> between() {
    String left = "(?<=" + START + "\\d{1,9}|[.,]\\d{1,9})";
    String unit = "(?= ?(?:" + Vocabulary.alternatives(grammar.vocabulary().entries("unit").keySet()) + ")(?!\\p{L}))";
    return List.of(
        Rule.of(START + "(?<!\\d[.,])(?<count>\\d{1,3}) ?[xX](?![\\p{L}\\p{M}\\p{N}]| ?\\d)", found ->
            grammar.cardinal(found.get("count"), Gender.FEMININE) + " "
                + grammar.word(found.number("count") == 1 ? "once" : "times")),
        Rule.of("(?<=\\d ?%) ?- ?(?=[\\d.,]{1,12} ?%)", found -> " " + grammar.word("to") + " "),
        // Aircraft: "Boeing 737-800", "Airbus A320-200".
        Rule.of("(?<=(?:Boeing|Airbus A|Embraer E?) ?\\d{3})-(?=\\d{3}" + END + ")", found -> " "),
        Rule.of("(?<=\\d ?(?:mm|cm|m|km)) ?[x×] ?(?=\\d)", found -> " " + grammar.word("by") + " "),
        Rule.of("(?<=\\d) ?- ?(?=\\d{1,9} ?=)", found -> " " + grammar.word("minus") + " "),
        Rule.of("(?<a>" + START + "\\d{1,6}(?:[.,]\\d{1,6})?) ?[x×] ?(?<b>\\d{1,6}(?:[.,]\\d{1,6})?)(?<more>(?: ?[x×] ?\\d{1,6}(?:[.,]\\d{1,6})?)?)(?<unit>" + unit + ")?(?<product> ?=)?(?!\\d)",
            this::times),
        Rule.of(left + " ?- ?(?=\\d[\\d.,]*(?![\\d-]|[.,]\\d|/))", found -> " " + grammar.word("to") + " "),
        Rule.of("(?<=" + START + "\\d{1,3}) ?: ?(?=\\d{1,3}" + END + ")", found -> " " + grammar.word("ratio") + " "));
  }

  private String times(Found found) {
    if (found.has("product") || isProduct(found)) {
      return found.all().replaceAll(" ?[x×] ?", product());
    }
    boolean score =
        !found.has("unit") && found.get("more").isEmpty() && isScore(found.get("a")) && isScore(found.get("b"))
            && !found.get("a").equals("4");
    String joint = " " + grammar.word(score ? "score" : "by") + " ";
    return found.get("a") + joint + found.get("b") + found.get("more").replaceAll(" ?[x×] ?", joint);
  }

  /** The sign of multiplication without a unit, but for sizes in pixels and the score of two names. */
  private static boolean isProduct(Found found) {
    boolean pixels = found.get("a").length() > 2 && found.get("b").length() > 2 && !found.all().contains(" ");
    boolean names = isName(found.wordBefore()) && isName(found.wordAfter());
    return found.all().indexOf('×') >= 0 && !found.has("unit") && !pixels && !names;
  }

  private static boolean isName(String word) {
    return !word.isEmpty() && Character.isUpperCase(word.codePointAt(0));
  }

  private static boolean isScore(String number) {
    return number.matches("\\d{1,2}") && Integer.parseInt(number) <= LARGEST_SCORE;
  }

  /** Versions, addresses of machines, codes of letters and digits. */
  List<Rule> codes() {
    return List.of(
        Rule.ofAnyCase(START + "(?<v>v\\.? ?)(?<number>\\d{1,9}(?:\\.\\d{1,9}){0,5})" + END + "(?!\\.\\d)",
            found -> grammar.word("version") + " " + dotted(found.get("number"))),
        Rule.of(START + "(?<!\\d[.,])\\d{1,9}(?:\\.\\d{1,9}){2,7}" + END + "(?![.,]\\d)",
            found -> found.all().matches("\\d{1,3}(?:\\.\\d{3})+") && grammar.style().grouping() == '.' ? null : dotted(found.all())),
        Rule.of(
            START + "(?<![.,]|[.,]\\d|\\p{L}-)(?=[\\p{L}\\p{M}-]{0,30}\\d)(?=[\\d-]{0,30}\\p{L})[\\p{L}\\p{M}\\d]{1,30}+(?:-[\\p{L}\\p{M}\\d]{1,30}+){0,5}+" + END + "(?![.,]\\d)",
            found -> code(found.all())));
  }

  private String dotted(String number) {
    StringJoiner words = new StringJoiner(" " + grammar.separator('.') + " ");
    for (String part : number.split("\\.")) {
      words.add(grammar.cardinal(part, Gender.NONE));
    }
    return words.toString();
  }

  private String code(String code) {
    StringJoiner words = new StringJoiner(" ");
    Matcher run = RUN.matcher(code);
    while (run.find()) {
      String piece = run.group();
      if (Character.isDigit(piece.charAt(0))) {
        // "1080p" is a number with a letter, "AB1234" a name made of figures.
        int longest = run.start() == 0 ? LONGEST_CODE_NUMBER + 1 : LONGEST_CODE_NUMBER;
        words.add(piece.length() > longest ? grammar.digits(piece) : grammar.cardinal(piece, Gender.NONE));
      } else {
        words.add(letters(piece));
      }
    }
    return words.toString();
  }

  private String letters(String run) {
    boolean capitals = run.equals(run.toUpperCase(Locale.ROOT));
    if (run.length() == 1) {
      return grammar.letter(run.codePointAt(0));
    }
    if (!capitals) {
      return run.toLowerCase(Locale.ROOT).matches("[b-df-hj-np-tv-xz]{2,3}") ? acronyms.spell(run) : run;
    }
    String words = acronyms.read(run, "", false);
    return words == null ? run : words;
  }

  /** Numbers that are names: of cards and books, and whatever a word before it calls one. */
  List<Rule> names() {
    String labels = Vocabulary.alternatives(grammar.vocabulary().set("number-name"));
    String isbn = "ISBN(?:-1[03])?:? (?:n(?:º|úmero) )?";
    return List.of(
        Rule.of(START + "(?<!\\d[ .,/-])\\d{4}(?:(?: \\d{4}){3}|(?:[.-]\\d{4}){3})" + END + "(?![ .,/-]?\\d)", found -> groups(found.all())),
        Rule.of("(?<label>" + START + isbn + ")(?<number>\\d[\\d -]{8,15}[\\dXx])" + END,
            found -> found.get("label") + groups(found.get("number").replaceFirst("[Xx]$", " X"))),
        Rule.of(START + "97[89]-\\d{1,5}-\\d{1,7}-\\d{1,7}-\\d" + END, found -> groups(found.all())),
        Rule.ofAnyCase("(?<label>" + START + labels + END + grammar.word("number-link") + ")(?<number>\\d{"
                + SHORTEST_NAME + ",30})" + END + "(?![.,/-]?\\d)",
            found -> found.get("label") + grammar.dictated(found.get("number"))));
  }

  /** Figures of each group, with a pause between groups. */
  private String groups(String number) {
    StringJoiner groups = new StringJoiner(", ");
    for (String group : number.split("[ .-]+")) {
      groups.add(Character.isDigit(group.charAt(0)) ? grammar.dictated(group) : grammar.letter(group.codePointAt(0)));
    }
    return groups.toString();
  }

  /** Quantities, by the gender of what they count. */
  List<Rule> quantities() {
    return List.of(
        // So long, in one run and not round, it counts nothing.
        Rule.of(START + "(?<!\\d[.,])\\d{" + SHORTEST_UNGROUPED_NAME + ",36}(?<!000)" + END + "(?![.,]\\d)",
            found -> isCounted(found.wordAfter()) ? null : grammar.dictated(found.all())),
        Rule.of(MINUS + grammar.style().pattern("number"), this::quantity),
        Rule.of("\\d++", found -> grammar.cardinal(found.all(), Gender.NONE)));
  }

  /** A noun in the plural. */
  private boolean isCounted(String next) {
    return isNoun(next) && next.matches("\\p{Ll}+s|people");
  }

  private String quantity(Found found) {
    WrittenNumber number = grammar.style().parse(found.get("number"));
    String minus = found.has("minus") ? grammar.word("minus") + " " : "";
    String words = grammar.number(number, grammar.genderOf(found));
    String next = found.wordAfter();
    boolean linked = number.isRoundMillions() && !grammar.word("of").isEmpty() && isNoun(next);
    return minus + words + (linked ? " " + grammar.word("of") : "");
  }

  private boolean isNoun(String word) {
    return !word.isEmpty()
        && Character.isLetter(word.codePointAt(0))
        && !grammar.vocabulary().set("not-noun").contains(word.toLowerCase(Locale.ROOT));
  }
}
