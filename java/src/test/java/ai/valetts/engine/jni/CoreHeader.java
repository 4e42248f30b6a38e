package ai.valetts.engine.jni;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code valetts.h} as text, for the tests that hold the binding equal to it. */
final class CoreHeader {
  private static final Pattern STRUCT = Pattern.compile("typedef struct (vt_\\w+) \\{(.*?)\\} \\1;", Pattern.DOTALL);
  private static final Pattern MEMBER = Pattern.compile("(?:const )?(\\w+)\\s*(\\*?)\\s+?(\\w+)(?:\\[(\\w+)\\s*\\])?");
  private static final Pattern FUNCTION = Pattern.compile("VT_API [^;(]*?\\b(vt_\\w+)\\(");
  private static final Pattern CONSTANT = Pattern.compile("\\b(VT_\\w+) = (\\d+)");

  private final String text;

  private CoreHeader(String text) {
    this.text = text;
  }

  static CoreHeader read() {
    Path file = Path.of(System.getProperty("valetts.checkout", ".."), "native/include/valetts/valetts.h");
    try {
      return new CoreHeader(Files.readString(file).replaceAll("(?s)/\\*.*?\\*/", ""));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Set<String> functions() {
    Set<String> names = new LinkedHashSet<>();
    Matcher matcher = FUNCTION.matcher(text);
    while (matcher.find()) {
      names.add(matcher.group(1));
    }
    return names;
  }

  /** Every enumerator, in the header's order. */
  Map<String, Integer> constants() {
    Map<String, Integer> values = new LinkedHashMap<>();
    Matcher matcher = CONSTANT.matcher(text);
    while (matcher.find()) {
      values.put(matcher.group(1), Integer.valueOf(matcher.group(2)));
    }
    return values;
  }

  /** Member names of each struct, in the header's order. */
  Map<String, Set<String>> structs() {
    Map<String, Set<String>> structs = new LinkedHashMap<>();
    Matcher matcher = STRUCT.matcher(text);
    while (matcher.find()) {
      Set<String> names = new LinkedHashSet<>();
      for (String declaration : declarations(matcher.group(2))) {
        names.add(member(declaration).group(3));
      }
      structs.put(matcher.group(1), names);
    }
    return structs;
  }

  /** What a struct takes in memory by the rules of the x86-64 and AArch64 ABIs. */
  int sizeOf(String struct) {
    int size = 0;
    for (String declaration : declarations(body(struct))) {
      Matcher member = member(declaration);
      int alignment = alignment(member.group(1), member.group(2));
      int width = width(member.group(1), member.group(2));
      size = (size + alignment - 1) / alignment * alignment + width * count(member.group(4));
    }
    int alignment = alignment(struct, "");
    return (size + alignment - 1) / alignment * alignment;
  }

  private String body(String struct) {
    Matcher matcher = STRUCT.matcher(text);
    while (matcher.find()) {
      if (matcher.group(1).equals(struct)) {
        return matcher.group(2);
      }
    }
    throw new AssertionError("no struct " + struct + " in valetts.h");
  }

  private int width(String type, String star) {
    if (!star.isEmpty()) {
      return Long.BYTES;
    }
    return switch (type) {
      case "char", "uint8_t" -> 1;
      case "int32_t", "float" -> 4;
      case "int64_t", "double" -> 8;
      default -> sizeOf(type);
    };
  }

  private int alignment(String type, String star) {
    if (star.isEmpty() && type.startsWith("vt_")) {
      int largest = 1;
      for (String declaration : declarations(body(type))) {
        Matcher member = member(declaration);
        largest = Math.max(largest, alignment(member.group(1), member.group(2)));
      }
      return largest;
    }
    return width(type, star);
  }

  private int count(String bracket) {
    if (bracket == null) {
      return 1;
    }
    return Character.isDigit(bracket.charAt(0)) ? Integer.parseInt(bracket) : constants().get(bracket);
  }

  private static String[] declarations(String body) {
    return body.strip().split("\\s*;\\s*");
  }

  private static Matcher member(String declaration) {
    Matcher member = MEMBER.matcher(declaration.replaceAll("\\s+", " "));
    if (!member.matches()) {
      throw new AssertionError("cannot read '" + declaration + "' in valetts.h");
    }
    return member;
  }
}
