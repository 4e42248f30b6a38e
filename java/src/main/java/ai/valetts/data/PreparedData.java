package ai.valetts.data;

import ai.valetts.text.SymbolTable;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Data that is ready to train on. Owned by whoever prepared it; {@link #close()} frees the open files. Thread-safe
 * until then.
 */
public final class PreparedData implements ClipAudio, AutoCloseable {
  private final List<Clip> training;
  private final List<Clip> validation;
  private final Speakers speakers;
  private final SymbolTable symbols;
  private final DataReport report;
  private final Map<Long, Recording> recordings;
  private final List<AudioStore> stores;
  private final String refusal;

  /** Where a clip's samples lie. */
  record Recording(AudioStore store, AudioStore.Location location) {}

  PreparedData(
      List<Clip> training,
      List<Clip> validation,
      Speakers speakers,
      SymbolTable symbols,
      DataReport report,
      Map<Long, Recording> recordings,
      List<AudioStore> stores,
      String refusal) {
    this.training = List.copyOf(training);
    this.validation = List.copyOf(validation);
    this.speakers = speakers;
    this.symbols = symbols;
    this.report = report;
    this.recordings = Map.copyOf(recordings);
    this.stores = List.copyOf(stores);
    this.refusal = refusal;
  }

  /** Clips to learn from, in the order of the sources and their rows; at least one for each speaker. Empty where there is a {@link #refusal()} for it. */
  public List<Clip> training() {
    return training;
  }

  /** Clips held out, sorted by speaker and name. May be empty. */
  public List<Clip> validation() {
    return validation;
  }

  public Speakers speakers() {
    return speakers;
  }

  /** The table the clips' ids come from. */
  public SymbolTable symbols() {
    return symbols;
  }

  public DataReport report() {
    return report;
  }

  /** Why nothing can be trained on this data, several lines for a person; empty where something can. */
  public Optional<String> refusal() {
    return Optional.ofNullable(refusal);
  }

  /**
   * This data, if it can be trained on; else it is closed.
   *
   * @throws DataException with the {@link #refusal()}
   */
  public PreparedData usable() {
    if (refusal != null) {
      close();
      throw new DataException(refusal);
    }
    return this;
  }

  @Override
  public float[] samples(Clip clip) {
    Recording recording = recordings.get(clip.id());
    if (recording == null) {
      throw new DataException("the clip " + clip.speaker() + "/" + clip.name() + " was not prepared");
    }
    return recording.store.samples(recording.location, clip.audioFile());
  }

  @Override
  public void close() {
    stores.forEach(AudioStore::close);
  }
}
