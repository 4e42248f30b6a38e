package ai.valetts.text;

import ai.valetts.config.NearestName;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Which names of languages there are, and which one was probably meant. */
final class Languages {
  private static final Set<String> ISO = Set.of(Locale.getISOLanguages());
  private static final List<String> USUAL = List.of("pt-br", "pt", "en-us", "en-gb", "es", "es-419", "fr-fr", "it", "de", "ru");

  private Languages() {}

  /**
   * Refuses what is no language, where no espeak-ng does.
   *
   * @throws TextException naming a language that is near, or the usual ones
   */
  static void require(String language) {
    String first = language.toLowerCase(Locale.ROOT).replaceFirst("^.*/", "").split("[-_+]", 2)[0];
    if (!ISO.contains(first) && first.length() != 3) {
      throw new TextException(
          "there is no language \"" + language + "\"; "
              + near(language, USUAL)
                  .map(code -> "did you mean " + code + "?")
                  .orElse("it is the name of an espeak-ng voice, such as " + String.join(", ", USUAL)));
    }
  }

  /**
   * The code that is much like a name; the English or own name of a language stands for its code.
   *
   * @param codes what there is
   */
  static Optional<String> near(String language, Collection<String> codes) {
    Map<String, String> names = new LinkedHashMap<>();
    for (String code : codes) {
      names.putIfAbsent(code, code);
      Locale locale = Locale.forLanguageTag(code);
      names.putIfAbsent(locale.getDisplayLanguage(Locale.ENGLISH), code);
      names.putIfAbsent(locale.getDisplayLanguage(locale), code);
    }
    return NearestName.near(language, names.keySet()).map(names::get);
  }
}
