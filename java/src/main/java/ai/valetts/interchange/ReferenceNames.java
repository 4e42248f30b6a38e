package ai.valetts.interchange;

import java.util.LinkedHashMap;
import java.util.Map;

/** Brings the spellings of tensor names together: weight norm old and new, wrappers around a model. */
final class ReferenceNames {
  private static final String WRAPPER = "module.";

  private ReferenceNames() {}

  /** The tensors under the reference's names. */
  static Map<String, StoredTensor> of(Map<String, StoredTensor> tensors) {
    boolean wrapped = !tensors.isEmpty() && tensors.keySet().stream().allMatch(name -> name.startsWith(WRAPPER));
    Map<String, StoredTensor> named = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> {
      String bare = wrapped ? name.substring(WRAPPER.length()) : name;
      named.put(
          bare.replace(".parametrizations.weight.original0", ".weight_g")
              .replace(".parametrizations.weight.original1", ".weight_v"),
          tensor);
    });
    return named;
  }

  /** Whether generator and discriminators lie together under prefixes, as in Piper's Lightning files. */
  static boolean isLightning(Map<String, StoredTensor> tensors) {
    return tensors.keySet().stream().anyMatch(name -> name.startsWith("model_g."));
  }

  /** The tensors below a prefix, without it. */
  static Map<String, StoredTensor> part(Map<String, StoredTensor> tensors, String prefix) {
    Map<String, StoredTensor> part = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> {
      if (name.startsWith(prefix)) {
        part.put(name.substring(prefix.length()), tensor);
      }
    });
    return part;
  }
}
