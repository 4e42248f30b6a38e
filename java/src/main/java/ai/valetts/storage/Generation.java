package ai.valetts.storage;

/**
 * A generation whose manifest verified. Whether its files do is another question.
 *
 * @param name what its files' names begin with
 * @param manifestBlob name in the store of the manifest
 */
public record Generation(GenerationName name, String manifestBlob, GenerationManifest manifest) {
  public long step() {
    return name.step();
  }
}
