package ai.valetts.text;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Reads text by espeak-ng's phonemes, numbered by Piper's table. espeak-ng drops punctuation, so the text is cut at
 * {@code , . ; : ! ?} first and the mark is put back behind its clause, as Piper does.
 */
final class EspeakFrontEnd implements TextFrontEnd {
  /** "(en)" and "(ru)" around words that another language's voice reads. */
  private static final Pattern LANGUAGE_SWITCH = Pattern.compile("\\([a-z]{2,3}(?:-[a-zA-Z0-9]+)*\\)");

  private static final String TERMINATORS = ",.;:!?";

  private final Espeak espeak;
  private final SymbolTable symbols;
  private final String defaultLanguage;
  private final boolean addBlank;

  EspeakFrontEnd(Espeak espeak, SymbolTable symbols, String defaultLanguage, boolean addBlank) {
    this.espeak = espeak;
    this.symbols = symbols;
    this.defaultLanguage = defaultLanguage;
    this.addBlank = addBlank;
  }

  record Clause(String text, String terminator) {}

  @Override
  public EncodedText encode(String text, String language) {
    String voice = language == null ? defaultLanguage : language;
    String clean = TextCleaner.clean(text);
    StringBuilder phonemes = new StringBuilder();
    for (Clause clause : clauses(clean)) {
      String spoken = tidy(espeak.phonemes(clause.text, voice));
      if (spoken.isEmpty()) {
        continue;
      }
      if (!phonemes.isEmpty()) {
        phonemes.append(' ');
      }
      phonemes.append(spoken).append(clause.terminator);
    }
    String decomposed = Normalizer.normalize(phonemes, Normalizer.Form.NFD);
    Set<String> unreadable = new LinkedHashSet<>(TextCleaner.unreadable(clean));
    unreadable.addAll(ForeignScripts.letters(clean, voice));
    return SymbolEncoder.encode(decomposed, unreadable, symbols, addBlank);
  }

  /** Drops language switches, the joiners that some modes write, and doubled spaces. */
  static String tidy(String phonemes) {
    return LANGUAGE_SWITCH
        .matcher(phonemes)
        .replaceAll("")
        .replace("\u200d", "")
        .replaceAll("\\s+", " ")
        .strip();
  }

  /**
   * Cuts at punctuation that ends a word: "3.5" and "o'clock" stay whole, "?!" becomes "?" and "..." becomes ".".
   * Marks before the first word are dropped.
   */
  static List<Clause> clauses(String text) {
    List<Clause> clauses = new ArrayList<>();
    int start = 0;
    int i = 0;
    while (i < text.length()) {
      if (TERMINATORS.indexOf(text.charAt(i)) < 0) {
        i++;
        continue;
      }
      int end = i;
      while (end < text.length() && TERMINATORS.indexOf(text.charAt(end)) >= 0) {
        end++;
      }
      if (text.substring(start, i).isBlank()) {
        start = end;
      } else if (endsWord(text, end)) {
        clauses.add(new Clause(text.substring(start, i).strip(), strongest(text.substring(i, end))));
        start = end;
      }
      i = end;
    }
    if (!text.substring(start).isBlank()) {
      clauses.add(new Clause(text.substring(start).strip(), ""));
    }
    return clauses;
  }

  private static boolean endsWord(String text, int end) {
    return end == text.length() || !Character.isLetterOrDigit(text.codePointAt(end));
  }

  private static String strongest(String run) {
    if (run.contains("?")) {
      return "?";
    }
    return run.contains("!") ? "!" : run.substring(0, 1);
  }

  @Override
  public SymbolTable symbols() {
    return symbols;
  }

  @Override
  public String name() {
    return "espeak";
  }

  @Override
  public String version() {
    return "espeak-ng " + espeak.version();
  }

  /** Nothing to free: the library belongs to the process. */
  @Override
  public void close() {}
}
