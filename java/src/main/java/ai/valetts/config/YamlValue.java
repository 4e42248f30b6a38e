package ai.valetts.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.DumperOptions.ScalarStyle;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * A parsed YAML value that remembers where it stood, so that a message can name its line. Types are not decided here:
 * the record that receives a scalar knows whether {@code no} is a truth value or Norwegian.
 */
sealed interface YamlValue {

  /** {@code line 12}, or the option that set it. */
  String where();

  /** What a person would call it, e.g. {@code text "abc"}. */
  String describe();

  /**
   * One value.
   *
   * @param text as written
   * @param quoted whether it was in quotes
   * @param none whether it is YAML's null
   */
  record Scalar(String text, boolean quoted, boolean none, String where) implements YamlValue {
    @Override
    public String describe() {
      if (none) {
        return "nothing";
      }
      if (!quoted && (text.equals("true") || text.equals("false"))) {
        return text;
      }
      if (!quoted && text.matches("[-+]?[0-9][0-9_]*(\\.[0-9]*)?([eE][-+]?[0-9]+)?")) {
        return "the number " + text;
      }
      return "text \"" + (text.length() > 60 ? text.substring(0, 57) + "..." : text) + "\"";
    }
  }

  /** A list. */
  record Sequence(List<YamlValue> items, String where) implements YamlValue {
    @Override
    public String describe() {
      return items.size() == 1 ? "a list of 1 item" : "a list of " + items.size() + " items";
    }
  }

  /** A section. Mutable, since overrides are laid over it. */
  record Mapping(Map<String, YamlValue> entries, String where) implements YamlValue {
    @Override
    public String describe() {
      return "a section with " + (entries.isEmpty() ? "no keys" : "keys " + String.join(", ", entries.keySet()));
    }
  }

  /**
   * Parses YAML.
   *
   * @param origin where a single-line value came from; null to give line numbers
   * @param problems receives syntax errors and doubled keys
   * @return null if nothing could be read
   */
  static YamlValue parse(String yaml, String origin, List<String> problems) {
    LoaderOptions options = new LoaderOptions();
    options.setMaxAliasesForCollections(50);
    try {
      Node node = new Yaml(new SafeConstructor(options)).compose(new java.io.StringReader(yaml));
      return node == null ? null : of(node, origin, problems);
    } catch (MarkedYAMLException e) {
      String where = origin != null ? origin : "line " + (e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1);
      problems.add(where + ": not valid YAML: " + e.getProblem());
    } catch (YAMLException e) {
      problems.add((origin == null ? "" : origin + ": ") + "not valid YAML: " + e.getMessage());
    }
    return null;
  }

  private static YamlValue of(Node node, String origin, List<String> problems) {
    String where = origin != null ? origin : "line " + (node.getStartMark().getLine() + 1);
    if (node instanceof ScalarNode scalar) {
      boolean quoted = scalar.getScalarStyle() != ScalarStyle.PLAIN;
      return new Scalar(scalar.getValue(), quoted, Tag.NULL.equals(scalar.getTag()), where);
    }
    if (node instanceof SequenceNode sequence) {
      List<YamlValue> items = new ArrayList<>();
      for (Node item : sequence.getValue()) {
        items.add(of(item, origin, problems));
      }
      return new Sequence(items, where);
    }
    Map<String, YamlValue> entries = new LinkedHashMap<>();
    for (NodeTuple tuple : ((MappingNode) node).getValue()) {
      String keyWhere = origin != null ? origin : "line " + (tuple.getKeyNode().getStartMark().getLine() + 1);
      if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
        problems.add(keyWhere + ": a key must be a single word");
        continue;
      }
      YamlValue value = of(tuple.getValueNode(), origin, problems);
      if (entries.put(key.getValue(), atLine(value, keyWhere)) != null) {
        problems.add(keyWhere + ": " + key.getValue() + " is given twice in the same section");
      }
    }
    return new Mapping(entries, where);
  }

  /** A value is reported at its key's line: a block list starts below it. */
  private static YamlValue atLine(YamlValue value, String where) {
    if (value instanceof Scalar scalar) {
      return new Scalar(scalar.text(), scalar.quoted(), scalar.none(), where);
    }
    if (value instanceof Sequence sequence) {
      return new Sequence(sequence.items(), where);
    }
    return new Mapping(((Mapping) value).entries(), where);
  }
}
