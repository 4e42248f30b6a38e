package ai.valetts.data;

import ai.valetts.text.SymbolTable;
import java.util.List;
import java.util.Map;

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
  private final List<AudioShard> shards;

  /** Where a clip's samples lie. */
  record Recording(AudioShard shard, AudioShard.Entry entry) {}

  PreparedData(
      List<Clip> training,
      List<Clip> validation,
      Speakers speakers,
      SymbolTable symbols,
      DataReport report,
      Map<Long, Recording> recordings,
      List<AudioShard> shards) {
    this.training = List.copyOf(training);
    this.validation = List.copyOf(validation);
    this.speakers = speakers;
    this.symbols = symbols;
    this.report = report;
    this.recordings = Map.copyOf(recordings);
    this.shards = List.copyOf(shards);
  }

  /** Clips to learn from, in the order of the sources and their rows; at least one for each speaker. */
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

  @Override
  public float[] samples(Clip clip) {
    Recording recording = recordings.get(clip.id());
    if (recording == null) {
      throw new DataException("the clip " + clip.speaker() + "/" + clip.name() + " was not prepared");
    }
    return recording.shard.samples(recording.entry);
  }

  @Override
  public void close() {
    shards.forEach(AudioShard::close);
  }
}
