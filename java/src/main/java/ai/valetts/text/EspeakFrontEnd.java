package ai.valetts.text;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
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
  private final Wording wording;
  private final boolean addBlank;

  /**
   * @throws TextException if the lexicon has a phoneme without a symbol, naming its line
   */
  EspeakFrontEnd(Espeak espeak, SymbolTable symbols, Wording wording, boolean addBlank) {
    this.espeak = espeak;
    this.symbols = symbols;
    this.wording = wording;
    this.addBlank = addBlank;
    for (Lexicon.Entry entry : wording.lexicon().entriesWithPhonemes()) {
      Wording.PHONEMES.matcher(entry.spoken()).results().forEach(block -> {
        EncodedText encoded = SymbolEncoder.encode(decomposed(block.group(1)), Set.of(), symbols, addBlank);
        if (!encoded.unknownSymbols().isEmpty()) {
          throw new TextException(entry.place() + ": there is no symbol for the phoneme "
              + encoded.of(new Words("", List.of()), Map.of()).describeUnknown());
        }
      });
    }
  }

  record Clause(String text, String terminator) {}

  @Override
  public Words words(String text, String language) {
    return wording.of(text, language);
  }

  @Override
  public EncodedText read(Words words, String language) {
    String voice = wording.language(language);
    StringBuilder phonemes = new StringBuilder();
    for (Clause clause : clauses(words.text())) {
      String spoken = spoken(clause.text, voice);
      if (spoken.isEmpty()) {
        continue;
      }
      if (!phonemes.isEmpty()) {
        phonemes.append(' ');
      }
      phonemes.append(spoken).append(clause.terminator);
    }
    String letters = Wording.PHONEMES.matcher(words.text()).replaceAll(" ");
    Set<String> unreadable = new LinkedHashSet<>(TextCleaner.unreadable(letters));
    unreadable.addAll(words.unpairedBrackets().keySet());
    unreadable.addAll(ForeignScripts.letters(letters, voice));
    EncodedText encoded = SymbolEncoder.encode(decomposed(phonemes), unreadable, symbols, addBlank);
    return encoded.of(words, wordsWith(encoded.unknownSymbols(), words.text(), voice));
  }

  /** A clause's sounds: espeak-ng's for words, and phonemes between double brackets as they stand. */
  private String spoken(String clause, String voice) {
    StringBuilder phonemes = new StringBuilder();
    Matcher block = Wording.PHONEMES.matcher(clause);
    int done = 0;
    while (block.find()) {
      append(phonemes, clause.substring(done, block.start()), voice);
      phonemes.append(block.group(1));
      done = block.end();
    }
    append(phonemes, clause.substring(done), voice);
    return tidy(phonemes.toString());
  }

  private void append(StringBuilder phonemes, String words, String voice) {
    if (words.isBlank()) {
      phonemes.append(words);
      return;
    }
    boolean spaceBefore = Character.isWhitespace(words.charAt(0));
    boolean spaceBehind = Character.isWhitespace(words.charAt(words.length() - 1));
    phonemes.append(spaceBefore ? " " : "").append(espeak.phonemes(words, voice)).append(spaceBehind ? " " : "");
  }

  private static String decomposed(CharSequence phonemes) {
    return Normalizer.normalize(phonemes, Normalizer.Form.NFD);
  }

  /** Looks for unknown symbols word by word, so that a person can be told where they come from. */
  private Map<String, String> wordsWith(List<String> unknown, String text, String voice) {
    Map<String, String> found = new LinkedHashMap<>();
    if (!unknown.isEmpty()) {
      for (String word : text.split("\\s+")) {
        String sounds = found.size() == unknown.size() || word.isEmpty() ? "" : word + decomposed(spoken(word, voice));
        unknown.stream().filter(sounds::contains).forEach(symbol -> found.putIfAbsent(symbol, word));
      }
    }
    return found;
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
   * Marks before the first word are dropped. Phonemes between double brackets are never cut.
   */
  static List<Clause> clauses(String text) {
    List<Clause> clauses = new ArrayList<>();
    int start = 0;
    int i = 0;
    while (i < text.length()) {
      if (text.startsWith("[[", i) && text.indexOf("]]", i) > 0) {
        i = text.indexOf("]]", i) + 2;
        continue;
      }
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
  public byte[] lexicon() {
    return wording.lexicon().file();
  }

  @Override
  public String version() {
    return "espeak-ng " + espeak.version() + ", " + wording.version();
  }

  /** Nothing to free: the library belongs to the process. */
  @Override
  public void close() {}
}
