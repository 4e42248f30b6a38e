package ai.valetts.config;

import java.io.StringWriter;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.DumperOptions.FlowStyle;
import org.yaml.snakeyaml.DumperOptions.ScalarStyle;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * Writes a configuration as YAML with every key resolved, in the order of the records. Reading it back gives an equal
 * configuration, and writing that gives the same text. Stateless.
 */
public final class ConfigWriter {
  private ConfigWriter() {}

  /** The YAML text. */
  public static String write(ValettsConfig config) {
    DumperOptions options = new DumperOptions();
    options.setWidth(120);
    options.setIndicatorIndent(2);
    options.setIndentWithIndicator(true);
    options.setIndent(2);
    options.setSplitLines(false);
    StringWriter yaml = new StringWriter();
    yaml.append("# Every key as the run used it.\n");
    new Yaml(options).serialize(node(config), yaml);
    return yaml.toString();
  }

  private static Node node(Object value) {
    if (value == null) {
      return scalar(Tag.NULL, "null");
    }
    if (value instanceof Record section) {
      List<NodeTuple> tuples = new ArrayList<>();
      for (RecordComponent component : section.getClass().getRecordComponents()) {
        tuples.add(
            new NodeTuple(scalar(Tag.STR, component.getName()), node(ConfigKeys.read(component, section))));
      }
      return new MappingNode(Tag.MAP, tuples, FlowStyle.BLOCK);
    }
    if (value instanceof List<?> list) {
      List<Node> items = list.stream().map(ConfigWriter::node).toList();
      boolean block = !list.isEmpty() && (list.get(0) instanceof Record || list.get(0) instanceof String);
      return new SequenceNode(Tag.SEQ, items, block ? FlowStyle.BLOCK : FlowStyle.FLOW);
    }
    if (value instanceof Boolean) {
      return scalar(Tag.BOOL, value.toString());
    }
    if (value instanceof Integer || value instanceof Long) {
      return scalar(Tag.INT, value.toString());
    }
    if (value instanceof Number) {
      return scalar(Tag.FLOAT, value.toString());
    }
    return scalar(Tag.STR, value.toString());
  }

  private static Node scalar(Tag tag, String text) {
    return new ScalarNode(tag, text, null, null, ScalarStyle.PLAIN);
  }
}
