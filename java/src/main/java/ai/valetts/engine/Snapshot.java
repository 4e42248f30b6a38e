package ai.valetts.engine;

import java.nio.file.Path;

/** A training session's state at one moment, in host memory. Owned by whoever asked for it; any thread, one at a time. */
public interface Snapshot extends AutoCloseable {

  /**
   * Writes weights and optimizer states as safetensors files into an existing directory.
   *
   * @throws NonFiniteLossException naming a weight that is not a number; nothing is written then
   * @throws EngineIoException naming the file, e.g. when the disk is full
   */
  void write(Path directory);

  @Override
  void close();
}
