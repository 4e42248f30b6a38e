package ai.valetts.text;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads text as Piper does, so that a Piper voice gets the ids it was trained with: espeak-ng decides where clauses end,
 * the mark that ended one is put behind it, and each sentence has marks of its own.
 */
final class PiperFrontEnd implements TextFrontEnd {
  /** What espeak-ng takes for the end of a clause. */
  private static final String TERMINATORS = "?!.,:;…—–―";

  private static final String DASHES = "—–―";

  /** Closing brackets and quotes that may stand behind the last mark of a text. */
  private static final Pattern CLOSING = Pattern.compile("[\"'”’»)\\]}>]+$");

  private static final Pattern TRAILING_SPACE = Pattern.compile("\\s*$", Pattern.UNICODE_CHARACTER_CLASS);

  private static final Pattern LANGUAGE_SWITCH = Pattern.compile("\\([^)]+\\)");

  private final Espeak espeak;
  private final SymbolTable symbols;
  private final Wording wording;
  private final boolean addBlank;

  /** @param espeak null where the reading does without */
  PiperFrontEnd(Espeak espeak, SymbolTable symbols, Wording wording, boolean addBlank) {
    this.espeak = espeak;
    this.symbols = symbols;
    this.wording = wording;
    this.addBlank = addBlank;
  }

  /**
   * How a clause ended.
   *
   * @param mark as it is put behind the phonemes; empty for none
   */
  record End(String mark, boolean ofSentence) {}

  @Override
  public Words words(String text, String language) {
    return wording.asTaught(text, language);
  }

  @Override
  public EncodedText read(Words words, String language) {
    List<String> sentences =
        symbols.reading() == Reading.PIPER_TEXT
            ? List.of(words.text())
            : sentences(espeak.clauses(words.text(), wording.language(language)));
    List<Integer> ids = new ArrayList<>();
    StringBuilder phonemes = new StringBuilder();
    // As Piper's characters, brackets are letters like others.
    Map<String, String> unpaired = symbols.reading() == Reading.PIPER_TEXT ? Map.of() : words.unpairedBrackets();
    Set<String> unknown = new LinkedHashSet<>(unpaired.keySet());
    int sounds = 0;
    for (String sentence : sentences) {
      EncodedText encoded =
          SymbolEncoder.encode(Normalizer.normalize(sentence, Normalizer.Form.NFD), Set.of(), symbols, addBlank);
      for (int id : encoded.ids()) {
        ids.add(id);
      }
      phonemes.append(encoded.phonemes());
      unknown.addAll(encoded.unknownSymbols());
      sounds += encoded.phonemeCount();
    }
    int[] packed = ids.stream().mapToInt(Integer::intValue).toArray();
    return new EncodedText(packed, phonemes.toString(), List.copyOf(unknown), sounds, words, unpaired);
  }

  static List<String> sentences(List<Espeak.Clause> clauses) {
    List<String> sentences = new ArrayList<>();
    StringBuilder sentence = new StringBuilder();
    String before = "";
    for (Espeak.Clause clause : clauses) {
      End end = end(before + clause.consumed(), clause.last());
      sentence.append(LANGUAGE_SWITCH.matcher(clause.phonemes()).replaceAll("")).append(end.mark);
      if (!end.mark.isEmpty() && ",:;".contains(end.mark)) {
        sentence.append(' ');
      }
      if (end.ofSentence && !sentence.isEmpty()) {
        sentences.add(sentence.toString());
        sentence.setLength(0);
      }
      before = lastCharacter(clause.consumed());
    }
    if (!sentence.isEmpty()) {
      sentences.add(sentence.toString());
    }
    return sentences;
  }

  /**
   * espeak-ng says how far it has read, not what ended the clause. It looks one character ahead, so all but the last of
   * the consumed characters belong to the clause, unless the text is at its end.
   */
  static End end(String consumed, boolean last) {
    String body = last ? consumed : consumed.substring(0, consumed.length() - lastCharacter(consumed).length());
    Matcher space = TRAILING_SPACE.matcher(body);
    String text = space.find() ? body.substring(0, space.start()) : body;
    if (body.substring(text.length()).chars().filter(c -> c == '\n').count() > 1) {
      return new End("", true);
    }
    if (last) {
      text = CLOSING.matcher(text).replaceFirst("");
    }
    int run = text.length();
    while (run > 0 && TERMINATORS.indexOf(text.charAt(run - 1)) >= 0) {
      run--;
    }
    String marks = text.substring(run);
    boolean spoken = text.substring(0, run).codePoints().anyMatch(Character::isLetterOrDigit);
    if (!spoken || marks.isEmpty()) {
      return new End("", spoken && last);
    }
    for (char mark : marks.toCharArray()) {
      if (mark == '?' || mark == '!') {
        return new End(String.valueOf(mark), true);
      }
    }
    char mark = marks.charAt(marks.length() - 1);
    if (marks.endsWith("...") || mark == '…') {
      return new End("", false);
    }
    return DASHES.indexOf(mark) >= 0 ? new End(";", false) : new End(String.valueOf(mark), mark == '.');
  }

  private static String lastCharacter(String text) {
    return text.isEmpty() ? "" : text.substring(text.offsetByCodePoints(text.length(), -1));
  }

  @Override
  public SymbolTable symbols() {
    return symbols;
  }

  @Override
  public String name() {
    return symbols.reading().text();
  }

  @Override
  public byte[] lexicon() {
    return wording.lexicon().file();
  }

  @Override
  public String version() {
    return (espeak == null ? name() : "espeak-ng " + espeak.version() + ", " + name()) + ", " + wording.version();
  }

  /** Nothing to free: the library belongs to the process. */
  @Override
  public void close() {}
}
