package ai.valetts.text;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeSet;

/**
 * Numbers the symbols a voice knows. Saved beside each checkpoint, since a voice can only read with the table it was
 * trained with. Immutable.
 */
public final class SymbolTable {
  /** Kind of the table that holds Piper's phonemes. */
  public static final String PIPER = "piper";

  /** Kind of the table that holds the characters of a data set. */
  public static final String CHARACTERS = "characters";

  /** Kind of the table of a voice that another program trained; {@link #reading} says how it reads. */
  public static final String IMPORTED = "imported";

  /** The symbols of the public VITS programs before and behind their letters; "'" is listed twice, the later id counts. */
  private static final String VITS_PUNCTUATION = "_;:,.!?¡¿—…\"«»“” ";

  private static final String VITS_IPA =
      "ɑɐɒæɓʙβɔɕçɗɖðʤəɘɚɛɜɝɞɟʄɡɠɢʛɦɧħɥʜɨɪʝɭɬɫɮʟɱɯɰŋɳɲɴøɵɸθœɶʘɹɺɾɻʀʁɽʂʃʈʧʉʊʋⱱʌɣɤʍχʎʏʑʐʒʔʡʕʢǀǁǂǃˈˌːˑʼʴʰʱʲʷˠˤ˞↓↑→↗↘'\u0329'ᵻ";

  static final String PAD = "_";
  static final String BEGIN = "^";
  static final String END = "$";

  /**
   * Piper's default phoneme ids, 0 to 160 in order, one code point each. A voice that keeps these ids can be exported
   * to Piper, and can start from a Piper checkpoint.
   */
  private static final String PIPER_CODE_POINTS =
      "_^$ !'(),-.:;?abcdefhijklmnopqrstuvwxyz"
          + "æçðøħŋœǀǁǂǃɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʄʈʉʊʋʌʍʎʏʐʑʒʔʕʘʙʛʜʝʟʡʢʲˈˌːˑ˞βθχᵻⱱ"
          + "0123456789"
          + "\u0327\u0303\u032a\u032f\u0329ʰˤε↓#\"↑\u033a\u033bgʦX\u031d\u030aɝʷ";

  /** Ids 161 to 165: diphthongs that Piper numbers but never writes for espeak-ng voices. */
  private static final List<String> PIPER_DIPHTHONGS = List.of("aɪ", "aʊ", "ɔɪ", "eɪ", "oʊ");

  /** Piper embeds 256 symbols whatever the table holds, so that it can grow. */
  private static final int PIPER_SIZE = 256;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final String kind;
  private final Reading reading;
  private final int size;
  private final List<String> symbols;
  private final Map<String, Integer> ids = new HashMap<>();

  private record Stored(
      @JsonProperty("kind") String kind,
      @JsonInclude(JsonInclude.Include.NON_NULL) @JsonProperty("reading") String reading,
      @JsonProperty("size") int size,
      @JsonProperty("symbols") List<String> symbols) {}

  private SymbolTable(String kind, Reading reading, int size, List<String> symbols) {
    this.kind = kind;
    this.reading = reading;
    this.size = size;
    this.symbols = List.copyOf(symbols);
    for (int id = 0; id < symbols.size(); id++) {
      if (ids.put(symbols.get(id), id) != null) {
        throw new TextException("the symbol table lists \"" + symbols.get(id) + "\" twice");
      }
    }
  }

  /** Piper's default phoneme id map: 166 symbols in a vocabulary of 256. */
  public static SymbolTable piper() {
    List<String> symbols = new ArrayList<>();
    PIPER_CODE_POINTS.codePoints().forEach(c -> symbols.add(Character.toString(c)));
    symbols.addAll(PIPER_DIPHTHONGS);
    return new SymbolTable(PIPER, null, PIPER_SIZE, symbols);
  }

  /**
   * The letters, marks, digits and punctuation of the given texts, lower-cased and decomposed (NFD), in code point
   * order after the marks. The same texts in any order give the same table.
   */
  public static SymbolTable characters(Iterable<String> texts) {
    TreeSet<Integer> found = new TreeSet<>();
    for (String text : texts) {
      CharacterFrontEnd.characters(text).filter(CharacterFrontEnd::isReadable).forEach(found::add);
    }
    List<String> symbols = new ArrayList<>(List.of(PAD, BEGIN, END));
    for (int codePoint : found) {
      symbols.add(Character.toString(codePoint));
    }
    return new SymbolTable(CHARACTERS, null, symbols.size(), symbols);
  }

  /**
   * The table of a voice that another program trained.
   *
   * @param size rows of its embedding
   * @param symbolsById the symbol of each id, null where an id has none; of a symbol that is listed twice the later id
   *     counts, as in the programs that number them so
   * @throws TextException if there are more symbols than rows, or Piper's marks are missing
   */
  public static SymbolTable imported(Reading reading, int size, List<String> symbolsById) {
    List<String> unique = new ArrayList<>();
    for (int id = 0; id < symbolsById.size(); id++) {
      String symbol = symbolsById.get(id);
      boolean counts = symbol != null && symbolsById.lastIndexOf(symbol) == id;
      unique.add(counts ? symbol : "<unused " + id + ">");
    }
    if (size < unique.size()) {
      throw new TextException("the voice has " + size + " symbols, its symbol table " + unique.size());
    }
    if (reading.isPiper() && !unique.containsAll(List.of(PAD, BEGIN, END))) {
      throw new TextException("the symbol table lacks one of Piper's marks " + PAD + " " + BEGIN + " " + END);
    }
    return new SymbolTable(IMPORTED, reading, size, unique);
  }

  /** The 178 symbols of the public VITS programs in the order of their ids. */
  public static List<String> vitsSymbols() {
    StringBuilder all = new StringBuilder(VITS_PUNCTUATION);
    for (char letter = 'A'; letter <= 'Z'; letter++) {
      all.append(letter);
    }
    for (char letter = 'a'; letter <= 'z'; letter++) {
      all.append(letter);
    }
    all.append(VITS_IPA);
    return all.codePoints().mapToObj(Character::toString).toList();
  }

  /**
   * Reads a table written by {@link #write}.
   *
   * @throws TextException if the file is not such a table, naming it
   */
  public static SymbolTable read(Path file) throws IOException {
    Stored stored;
    try {
      stored = JSON.readValue(Files.readString(file), Stored.class);
    } catch (JsonProcessingException e) {
      throw new TextException(file + " is not a symbol table: " + e.getOriginalMessage(), e);
    }
    boolean imported = stored != null && IMPORTED.equals(stored.kind);
    Reading reading = imported ? Reading.named(String.valueOf(stored.reading)).orElse(null) : null;
    if (stored == null
        || stored.symbols == null
        || !(PIPER.equals(stored.kind) || CHARACTERS.equals(stored.kind) || reading != null)
        || stored.size < stored.symbols.size()
        || (reading == null || reading.isPiper()) && !stored.symbols.containsAll(List.of(PAD, BEGIN, END))) {
      throw new TextException(file + " is not a symbol table: kind, size or symbols are missing or wrong");
    }
    return new SymbolTable(stored.kind, reading, stored.size, stored.symbols);
  }

  /** Writes the table as JSON; a symbol's place in the list is its id. */
  public void write(Path file) throws IOException {
    Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(stored()));
  }

  /** The table as {@link #write} writes it, to be kept inside another file. */
  public JsonNode toJson() {
    return JSON.valueToTree(stored());
  }

  private Stored stored() {
    return new Stored(kind, reading == null ? null : reading.text(), size, symbols);
  }

  /** Rows of the text encoder's embedding, at least as many as there are symbols. */
  public int size() {
    return size;
  }

  /** Id of the blank, also used as padding. */
  public int padId() {
    return ids.getOrDefault(PAD, 0);
  }

  int beginId() {
    return ids.get(BEGIN);
  }

  int endId() {
    return ids.get(END);
  }

  /** Id of a symbol, if the table has it. */
  public OptionalInt idOf(String symbol) {
    Integer id = ids.get(symbol);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** All symbols; the place in the list is the id. */
  public List<String> symbols() {
    return symbols;
  }

  /** {@link #PIPER}, {@link #CHARACTERS} or {@link #IMPORTED}. */
  public String kind() {
    return kind;
  }

  /** How an imported voice reads; null for a table of our own. */
  public Reading reading() {
    return reading;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SymbolTable table
        && kind.equals(table.kind)
        && reading == table.reading
        && size == table.size
        && symbols.equals(table.symbols);
  }

  @Override
  public int hashCode() {
    return symbols.hashCode();
  }

  @Override
  public String toString() {
    return (reading == null ? kind : reading.text()) + " table of " + symbols.size() + " symbols";
  }
}
