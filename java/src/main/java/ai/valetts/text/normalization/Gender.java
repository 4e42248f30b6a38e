package ai.valetts.text.normalization;

/** Of the noun that a number counts. */
enum Gender {
  /** Nothing is counted: "capítulo uno". */
  NONE,
  MASCULINE,
  FEMININE;

  /** Of the letter that vocabulary files use: {@code f} is feminine, anything else masculine. */
  static Gender of(String letter) {
    return letter.equals("f") ? FEMININE : MASCULINE;
  }
}
