package ai.valetts.text.normalization;

/**
 * A language's number words, loaded with the first number: a text without one needs no ICU4J, and a small build of the
 * jar can leave it out.
 */
record NumberSpellingSource(String languageTag) {
  NumberSpelling get() {
    return NumberSpelling.of(languageTag);
  }
}
