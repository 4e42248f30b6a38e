package ai.valetts.text.normalization;

import static ai.valetts.text.normalization.Rule.END;
import static ai.valetts.text.normalization.Rule.START;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** E-mail addresses, web addresses, names on social networks and hashtags. */
final class AddressRules {
  private static final String LABEL = "[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,61}[\\p{L}\\p{N}])?";
  private static final String TOP_LEVEL =
      "(?:com|org|net|edu|gov|mil|info|io|dev|app|ai|tv|me|art|blog|shop|online|site|tech|br|us|uk|es|mx|pt|fr|it|ru|de|jus|leg)";
  private static final Pattern RUN = Pattern.compile("\\p{L}++|\\p{N}++|.", Pattern.DOTALL);
  private static final Pattern SHORT_WORD = Pattern.compile("[b-df-hj-np-tv-z][aeiouy][a-z]?");
  private static final Pattern HUMPS =
      Pattern.compile("(?<=\\p{Ll})(?=\\p{Lu})|(?<=\\p{Lu})(?=\\p{Lu}\\p{Ll})|(?<=\\p{L})(?=\\p{N})|(?<=\\p{N})(?=\\p{L})|_+");

  private final Grammar grammar;
  private final Acronyms acronyms;
  private final Map<String, String> signs;
  private final Map<String, String> names;

  AddressRules(Grammar grammar, Acronyms acronyms) {
    this.grammar = grammar;
    this.acronyms = acronyms;
    signs = grammar.vocabulary().words("address-sign");
    names = grammar.vocabulary().words("address-name");
  }

  List<Rule> rules() {
    return List.of(
        Rule.ofAnyCase(
            "(?<![\\p{L}\\p{N}._%+-])(?<user>[\\p{L}\\p{N}._%+-]{1,64}+)@(?<host>" + LABEL + "(?:\\." + LABEL + "){1,6})" + END,
            found -> read(found.all())),
        Rule.ofAnyCase(
            START + "(?:https?|ftp)://(?<rest>[^\\s<>\"]{1,2000})", found -> readWithoutEnd(found.get("rest"))),
        Rule.ofAnyCase(START + "www\\.[^\\s<>\"]{1,2000}", found -> readWithoutEnd(found.all())),
        Rule.ofAnyCase(
            "(?<![\\p{L}\\p{N}@.-])" + LABEL + "(?:\\." + LABEL + "){0,4}\\." + TOP_LEVEL + END + "(?!\\.\\p{L})(?:/[^\\s<>\"]{0,2000})?",
            found -> isHost(found.all()) ? readWithoutEnd(found.all()) : null),
        Rule.of("(?<![\\p{L}\\p{N}@])@(?<name>[\\p{L}\\p{N}_](?:[\\p{L}\\p{N}_.]{0,60}[\\p{L}\\p{N}_])?)",
            found -> read(found.all())),
        Rule.of("(?<![\\p{L}\\p{N}#&])#(?<tag>[\\p{L}\\p{M}\\p{N}_]{1,100})",
            found -> found.get("tag").matches("\\d+")
                ? grammar.word("number") + " " + found.get("tag")
                : grammar.word("hashtag") + " " + humps(found.get("tag"))));
  }

  /** "etc.com" after a full stop without a space is no address, but then it has capitals or a short head. */
  private static boolean isHost(String text) {
    String host = text.split("/", 2)[0];
    return host.equals(host.toLowerCase(Locale.ROOT)) && host.chars().anyMatch(Character::isLetter);
  }

  /** Marks at the end belong to the sentence. */
  private String readWithoutEnd(String address) {
    String core = address.replaceFirst("[.,;:!?)\\]}'/]+$", "");
    String end = address.substring(core.length()).replace("/", "");
    return read(core) + end;
  }

  private String read(String address) {
    StringJoiner words = new StringJoiner(" ");
    Matcher run = RUN.matcher(address);
    while (run.find()) {
      String piece = run.group();
      int first = piece.codePointAt(0);
      if (Character.isLetter(first)) {
        words.add(letters(piece));
      } else if (Character.isDigit(first)) {
        words.add(piece.length() > 4 ? grammar.digits(piece) : grammar.cardinal(piece, Gender.NONE));
      } else {
        words.add(signs.getOrDefault(piece, piece));
      }
    }
    return words.toString();
  }

  private String letters(String run) {
    String lower = run.toLowerCase(Locale.ROOT);
    String known = names.get(lower);
    if (known != null) {
      return known;
    }
    String upper = run.toUpperCase(Locale.ROOT);
    boolean readable =
        lower.length() > 3 || SHORT_WORD.matcher(lower).matches() || acronyms.isWord(upper) || grammar.isPronounceable(upper);
    boolean hasVowel = lower.matches(".*[aeiouyáéíóúâêôãõ].*");
    return readable && hasVowel ? lower : acronyms.spell(lower);
  }

  /** "VemPraRua" is three words. */
  private static String humps(String tag) {
    return String.join(" ", HUMPS.split(tag)).strip();
  }
}
