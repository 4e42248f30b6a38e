package ai.valetts.data;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The transcripts of the Asterisk core sounds: lines {@code path/name: text}, with {@code ;} comments, and with remarks
 * for the speaker in brackets. A line whose text is not certainly what is heard is left out.
 */
final class DemoTranscripts {
  private static final Pattern LINE = Pattern.compile("([^:\\s]+)\\s*:(.*)");

  /** "[=]" behind "equals": the sign that the word stands for. */
  private static final Pattern BRACKETED_SIGN = Pattern.compile("[\\[(]\\P{L}*?[\\])]");

  private static final Pattern REMARK = Pattern.compile("[\\[\\](){}<>]");

  /** Read aloud as "star", "pound" and so on, which nobody can know from the sign. */
  private static final Pattern SIGN = Pattern.compile("[*#@=+_~^\\\\|\ufffd]");

  private static final Pattern SPEAKABLE = Pattern.compile("[\\p{L}\\p{N}]");

  private final Map<String, String> texts = new LinkedHashMap<>();
  private final Map<String, Integer> leftOut = new TreeMap<>();

  private DemoTranscripts() {}

  static DemoTranscripts parse(List<String> lines) {
    DemoTranscripts transcripts = new DemoTranscripts();
    for (String line : lines) {
      String content = line.replace("\ufeff", "").strip();
      if (!content.isEmpty() && !content.startsWith(";")) {
        transcripts.add(content);
      }
    }
    return transcripts;
  }

  /** Clean texts by the recording's name, without extension. */
  Map<String, String> texts() {
    return texts;
  }

  /** How many lines were left out for which reason. */
  Map<String, Integer> leftOut() {
    return leftOut;
  }

  private void add(String content) {
    Matcher line = LINE.matcher(content);
    if (!line.matches()) {
      leaveOut("no name");
      return;
    }
    String name = line.group(1).replaceFirst("\\.wav$", "");
    String text = line.group(2).strip();
    if (text.startsWith(name + ":")) {
      text = text.substring(name.length() + 1);
    }
    text = BRACKETED_SIGN.matcher(text).replaceAll(" ");
    text = text.replaceAll("[\"\u00ab\u00bb\u201c\u201d]", " ");
    text = text.replaceAll("\\s*/\\s*", ", ").replaceAll("^[\\s.\u2026]+", "").replaceAll("\\s+", " ").strip();
    text = text.replaceAll(" ([,.;:!?])", "$1");
    if (REMARK.matcher(text).find()) {
      leaveOut("tone, silence or remark in brackets");
    } else if (SIGN.matcher(text).find()) {
      leaveOut("sign that is read as a word");
    } else if (!SPEAKABLE.matcher(text).find()) {
      leaveOut("no text");
    } else if (texts.containsKey(name) && !texts.get(name).equals(text)) {
      texts.remove(name);
      leaveOut("two texts for one recording");
    } else {
      texts.put(name, text);
    }
  }

  private void leaveOut(String reason) {
    leftOut.merge(reason, 1, Integer::sum);
  }
}
