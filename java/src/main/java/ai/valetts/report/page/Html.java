package ai.valetts.report.page;

/** Text that goes into HTML. */
final class Html {
  private Html() {}

  /** The text as content or as a quoted attribute; control characters are left out. */
  static String escaped(String text) {
    StringBuilder safe = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char letter = text.charAt(i);
      switch (letter) {
        case '&' -> safe.append("&amp;");
        case '<' -> safe.append("&lt;");
        case '>' -> safe.append("&gt;");
        case '"' -> safe.append("&quot;");
        case '\'' -> safe.append("&#39;");
        default -> {
          if (letter >= ' ' || letter == '\n' || letter == '\t') {
            safe.append(letter);
          }
        }
      }
    }
    return safe.toString();
  }

  /** JSON that cannot end the script element it stands in. */
  static String inScript(String json) {
    return json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        .replace("\u2028", "\\u2028").replace("\u2029", "\\u2029");
  }
}
