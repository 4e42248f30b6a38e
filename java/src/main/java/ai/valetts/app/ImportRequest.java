package ai.valetts.app;

import ai.valetts.config.ConfigOverride;
import java.nio.file.Path;
import java.util.List;

/**
 * Turn a public checkpoint into a voice of ours. Paths but the first and last may be null.
 *
 * @param generator {@code G_*.pth}, Piper's {@code .ckpt}, or a safetensors file with the same names
 * @param discriminator {@code D_*.pth}
 * @param durationDiscriminator {@code DUR_*.pth}
 * @param config {@code config.json}; null takes the one beside the generator
 * @param symbols JSON list of symbols in the order of their ids
 * @param speakers JSON list of speaker names in the order of their ids, or ids by name
 * @param reading how text is read, instead of what the settings say; or null
 * @param language espeak-ng voice instead of the settings'; or null
 * @param addedSpeakers names for new rows of the speaker embedding
 * @param partial take what fits and start the rest fresh
 * @param overrides of single keys of the configuration
 * @param output folder of the voice; it must not exist
 */
public record ImportRequest(
    Path generator,
    Path discriminator,
    Path durationDiscriminator,
    Path config,
    Path symbols,
    Path speakers,
    String reading,
    String language,
    List<String> addedSpeakers,
    boolean partial,
    List<ConfigOverride> overrides,
    Path output) {
  public ImportRequest {
    addedSpeakers = List.copyOf(addedSpeakers);
    overrides = List.copyOf(overrides);
  }
}
