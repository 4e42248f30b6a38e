package ai.valetts.text;

import java.lang.Character.UnicodeScript;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Finds letters that a voice cannot read. espeak-ng does not fail on them: it says "Chinese letter" or spells them out,
 * and a network would learn that as their sound. Latin letters are always fine, since most voices switch to English.
 */
final class ForeignScripts {
  private static final Set<String> HAN = Set.of("cmn", "zh", "yue", "hak", "nan", "ja", "ko");
  private static final Set<String> CYRILLIC =
      Set.of("ru", "uk", "be", "bg", "mk", "sr", "bs", "hr", "kk", "ky", "tt", "ba", "cv", "nog", "mn", "tg", "sah");
  private static final Set<String> ARABIC = Set.of("ar", "fa", "ur", "ug", "sd", "ku", "ps");
  private static final Set<String> DEVANAGARI = Set.of("hi", "mr", "ne", "kok", "sa", "sd");

  /** Languages that read a script. A script that is not listed is left to espeak-ng. */
  private static final Map<UnicodeScript, Set<String>> READERS =
      Map.of(
          UnicodeScript.HAN, HAN,
          UnicodeScript.HIRAGANA, Set.of("ja"),
          UnicodeScript.KATAKANA, Set.of("ja"),
          UnicodeScript.HANGUL, Set.of("ko"),
          UnicodeScript.CYRILLIC, CYRILLIC,
          UnicodeScript.GREEK, Set.of("el", "grc"),
          UnicodeScript.ARABIC, ARABIC,
          UnicodeScript.HEBREW, Set.of("he"),
          UnicodeScript.THAI, Set.of("th"),
          UnicodeScript.DEVANAGARI, DEVANAGARI);

  private ForeignScripts() {}

  /**
   * @param voice espeak-ng voice such as {@code pt-br} or {@code pt-br+f2}; a name that is no language code is trusted
   */
  static Set<String> letters(String text, String voice) {
    String language = voice.toLowerCase(Locale.ROOT).replaceFirst("^.*/", "").split("[-_+]", 2)[0];
    Set<String> found = new LinkedHashSet<>();
    if (language.length() > 3) {
      return found;
    }
    text.codePoints()
        .filter(Character::isLetter)
        .forEach(
            letter -> {
              Set<String> readers = READERS.get(UnicodeScript.of(letter));
              if (readers != null && !readers.contains(language)) {
                found.add(Character.toString(letter));
              }
            });
    return found;
  }
}
