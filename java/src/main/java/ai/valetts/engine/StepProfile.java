package ai.valetts.engine;

import java.nio.file.Path;
import java.util.List;

/** Training steps taken operator by operator, and where their time went. One thread at a time. */
public interface StepProfile extends AutoCloseable {

  /**
   * Takes one whole step on a batch in one piece and adds what it took. The session learns from it as from any other.
   *
   * @throws EngineStateException while another profile is being taken in this process, or a step is under way
   * @throws EngineOutOfMemoryException when the batch is too large for the device
   */
  void step(Batch batch, StepParams params);

  /** By module and direction, in the order in which modules first appeared; their seconds are those of the steps. */
  List<ProfileRow> rows();

  /**
   * Writes the last step as a Chrome trace.
   *
   * @throws EngineStateException before the first step
   * @throws EngineIoException naming the file
   */
  void writeTrace(Path file);

  @Override
  void close();
}
