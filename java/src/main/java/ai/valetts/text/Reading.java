package ai.valetts.text;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * How a voice of another program was taught to read: the step from text to symbols, and how symbols are laid out as ids.
 * The names of the VITS readings are those of the public programs' cleaner functions.
 */
public enum Reading {
  /** Lower case, abbreviations spelled out, espeak-ng phonemes (en-us) without stress and punctuation. */
  ENGLISH_CLEANERS("english_cleaners", false, true),
  /** As {@link #ENGLISH_CLEANERS}, with stress and punctuation. */
  ENGLISH_CLEANERS2("english_cleaners2", false, true),
  /** What p0p4k's VITS2 calls the same reading when it keeps espeak-ng loaded. */
  ENGLISH_CLEANERS3("english_cleaners3", false, true),
  /** Lower case and single spaces. */
  BASIC_CLEANERS("basic_cleaners", false, false),
  /** The text is already written in the voice's symbols. */
  SYMBOLS("symbols", false, false),
  /** Piper: espeak-ng phonemes of each clause with its punctuation, decomposed. */
  PIPER_ESPEAK("piper-espeak", true, true),
  /** Piper's {@code text} phonemes: the decomposed characters. */
  PIPER_TEXT("piper-text", true, false);

  private final String text;
  private final boolean piper;
  private final boolean espeak;

  Reading(String text, boolean piper, boolean espeak) {
    this.text = text;
    this.piper = piper;
    this.espeak = espeak;
  }

  /** The name in files and options. */
  public String text() {
    return text;
  }

  /** Whether marks stand at both ends, as Piper lays its ids out; VITS has none. */
  public boolean isPiper() {
    return piper;
  }

  /** Whether espeak-ng is needed. */
  public boolean needsEspeak() {
    return espeak;
  }

  public static Optional<Reading> named(String text) {
    return Arrays.stream(values()).filter(reading -> reading.text.equals(text)).findFirst();
  }

  /** All names. */
  public static List<String> names() {
    return Arrays.stream(values()).map(Reading::text).toList();
  }
}
