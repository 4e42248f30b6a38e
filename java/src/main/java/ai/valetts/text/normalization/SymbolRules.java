package ai.valetts.text.normalization;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Signs that are read by name. What has no name is left to {@link TextNormalizer}, which removes and reports it. */
final class SymbolRules {
  private final Grammar grammar;

  SymbolRules(Grammar grammar) {
    this.grammar = grammar;
  }

  List<Rule> rules() {
    List<Rule> rules = new ArrayList<>();
    grammar
        .vocabulary()
        .words("symbol")
        .forEach((sign, words) -> rules.add(Rule.of(Pattern.quote(sign), found -> " " + words + " ")));
    // Between words: "homem/mulher".
    rules.add(Rule.of("(?<=\\p{L}) ?/ ?(?=\\p{L})", found -> " " + grammar.word("slash") + " "));
    return rules;
  }
}
