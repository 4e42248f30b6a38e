package ai.valetts.data.corpus;

import java.util.Locale;

/** Which espeak-ng voice a row's language means. */
public final class LanguageTag {
  private LanguageTag() {}

  /**
   * A row that says {@code pt} in a corpus configured as {@code pt-br} means {@code pt-br}: tables often name the
   * language alone, and espeak-ng's {@code pt} is European.
   *
   * @param named what the row says; null or blank if nothing
   * @param configured voice of the source or of {@code text.language}
   */
  public static String voice(String named, String configured) {
    if (named == null || named.isBlank()) {
      return configured;
    }
    String tag = named.strip().replace('_', '-').toLowerCase(Locale.ROOT);
    boolean general = !tag.contains("-") && !tag.contains("+");
    return general && configured.toLowerCase(Locale.ROOT).split("[-_+]", 2)[0].equals(tag) ? configured : tag;
  }
}
