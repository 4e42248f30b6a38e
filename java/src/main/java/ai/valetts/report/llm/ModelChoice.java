package ai.valetts.report.llm;

import ai.valetts.config.NearestName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** Turns configured names into models that exist: an id stands for itself, a family for its newest affordable model. */
final class ModelChoice {
  private static final Map<String, String> FAMILIES =
      Map.of("claude", "anthropic/claude-", "gpt", "openai/gpt-", "llama", "meta-llama/llama-");

  /** Models of a family that write no reports, and variants with other terms. */
  private static final Pattern UNFIT = Pattern.compile(".*(guard|image|audio|search|codex|vision|:).*");

  private static final long MIN_CONTEXT_TOKENS = 16_000;

  private ModelChoice() {}

  /**
   * @param asked ids and families, in order
   * @param offers what there is
   * @param promptTokens of a usual call
   * @param answerTokens at most
   * @param maxUsd most that a call may cost
   * @param notice told of each name that stands for nothing
   */
  static List<ModelOffer> resolve(
      List<String> asked,
      List<ModelOffer> offers,
      long promptTokens,
      long answerTokens,
      double maxUsd,
      Consumer<String> notice) {
    List<ModelOffer> chosen = new ArrayList<>();
    for (String name : asked) {
      Optional<ModelOffer> offer =
          FAMILIES.containsKey(name)
              ? newest(FAMILIES.get(name), offers, promptTokens, answerTokens, maxUsd)
              : offers.stream().filter(candidate -> candidate.id().equals(name)).findFirst();
      if (offer.isEmpty()) {
        notice.accept(missing(name, offers, maxUsd));
      } else if (!chosen.contains(offer.get())) {
        chosen.add(offer.get());
      }
    }
    return chosen;
  }

  private static String missing(String name, List<ModelOffer> offers, double maxUsd) {
    if (FAMILIES.containsKey(name)) {
      return "report.llm.ask: no " + name + " model that OpenRouter lists fits into report.llm.maxUsdPerCall " + maxUsd
          + "; it is not asked.";
    }
    String nearest =
        offers.isEmpty() ? "" : " Did you mean " + NearestName.of(name, offers.stream().map(ModelOffer::id).toList()) + "?";
    return "report.llm.ask: OpenRouter lists no model \"" + name + "\" with a price; it is not asked." + nearest;
  }

  private static Optional<ModelOffer> newest(
      String prefix, List<ModelOffer> offers, long promptTokens, long answerTokens, double maxUsd) {
    return offers.stream()
        .filter(offer -> offer.id().startsWith(prefix) && !UNFIT.matcher(offer.id()).matches())
        .filter(offer -> offer.contextTokens() >= MIN_CONTEXT_TOKENS)
        .filter(offer -> offer.priceOf(promptTokens, answerTokens) <= maxUsd)
        .max(Comparator.comparing(ModelOffer::followsSchema)
            .thenComparingLong(ModelOffer::createdSeconds)
            .thenComparing(ModelOffer::id));
  }
}
